import { AppError } from "../../errors.ts";
import { createMutex } from "../../util/concurrency.ts";
import type { Containers } from "../engine.ts";
import type { Images } from "../images.ts";
import type { LxdHttp } from "./client/http.ts";
import type { Operations } from "./client/operations.ts";
import { createCreate } from "./create/create.ts";
import type { LxdEvents } from "./events.ts";
import { createExec } from "./exec/exec.ts";
import { createFinder } from "./inspect/find.ts";
import { createInspect } from "./inspect/inspect.ts";
import { createLifecycle } from "./lifecycle/lifecycle.ts";
import { createContainerProcess } from "./process/container-process.ts";
import { createReshape, type LxdReshaping } from "./reshape/reshape.ts";
import { createMoving, type Moving } from "./rootfs/move.ts";

interface Deps {
  http: LxdHttp;
  operations: Operations;
  events: LxdEvents;
  images: Images;
}

/** The containers of one LXD, with what its events and its starts need. */
export type LxdContainers = Containers & Pick<LxdReshaping, "restore"> & Pick<Moving, "isMoving">;

/** Returns the containers of one LXD. Each room is given what lies below it; this is where they are put together. */
export function createContainers(deps: Deps): LxdContainers {
  const { http, operations } = deps;
  const processes = createContainerProcess(http, operations);
  const moving = createMoving(http, operations);
  const addressLock = createMutex();
  const finder = createFinder({ ...deps, moving, processes });
  const exec = createExec(http, operations);
  return {
    list: finder.list,
    getById: finder.getById,
    getByName: finder.getById,
    create: createCreate({ ...deps, addressLock }),
    ...createInspect(http, finder.getById),
    ...createLifecycle({ http, operations, processes }),
    ...createReshape({ http, operations, moving, processes, exec, addressLock }),
    exec,
    isMoving: moving.isMoving,
    commit: () => Promise.reject(new AppError("unsupported", "LXD makes no image of a container here.")),
  };
}
