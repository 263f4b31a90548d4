import type { Containers } from "../engine.ts";
import { unsupportedReshaping } from "../shape.ts";
import type { DockerHttp } from "./client/http.ts";
import { createCreate } from "./create/create.ts";
import { createExec } from "./exec/exec.ts";
import { commitImage } from "./images/commit.ts";
import { createFinder } from "./inspect/find.ts";
import { createInspect } from "./inspect/inspect.ts";
import { createLifecycle } from "./lifecycle/lifecycle.ts";
import { createContainerProcess } from "./process/container-process.ts";

/** Returns the containers of one Docker. Each room is given what lies below it; this is where they are put together. */
export function createContainers(http: DockerHttp): Containers {
  const local = http.address.startsWith("unix:");
  return {
    ...createFinder(http),
    create: createCreate(http, local),
    ...createContainerProcess(http, local),
    ...createLifecycle(http),
    ...createInspect(http),
    commit: (id, request, signal) => commitImage(http, id, request, signal),
    exec: createExec(http, local),
    ...unsupportedReshaping("Docker"),
  };
}
