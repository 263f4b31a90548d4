import { AppError } from "../../errors.ts";
import type { Containers } from "../engine.ts";
import { createCreate, type CreateDeps } from "./create/create.ts";
import { createExec } from "./exec/exec.ts";
import type { FactsStore } from "./files/container-facts.ts";
import { createInspect } from "./inspect/inspect.ts";
import type { Finder } from "./inspect/find.ts";
import { createLifecycle } from "./lifecycle/lifecycle.ts";
import { createLockedChange } from "./lifecycle/locked-change.ts";
import { createContainerProcess } from "./process/container-process.ts";
import type { InitProcesses } from "./process/init-process.ts";
import { createRestartMark } from "./process/restart-mark.ts";
import { createReshape } from "./reshape/reshape.ts";

interface Deps extends CreateDeps {
  facts: FactsStore;
  inits: InitProcesses;
  finder: Finder;
}

/** Returns the containers below one LXC path. Each room is given what lies below it; this is where they are put together. */
export function createContainers(deps: Deps): Containers {
  const { layout, finder, events } = deps;
  const processes = createContainerProcess(deps);
  const restartMark = createRestartMark(layout);
  const change = createLockedChange({ finder, processes, events });
  const shared = { ...deps, processes, restartMark, change };
  return {
    list: finder.list,
    getById: finder.getById,
    getByName: finder.getById,
    create: createCreate(deps),
    ...createInspect(deps),
    ...createLifecycle(shared),
    ...createReshape(shared),
    exec: createExec({ layout, finder }),
    commit: () => Promise.reject(new AppError("unsupported", "LXC makes no image of a container.")),
  };
}
