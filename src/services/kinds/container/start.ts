import { AppError } from "../../../errors.ts";
import { storedRequest } from "../stored-request.ts";
import { finishStart } from "./started.ts";
import { Target } from "./target.ts";
import { defineContainerVerb } from "./verb.ts";

/** Starts a container. */
export const containerStart = defineContainerVerb({
  kind: "container_start",
  verb: "container:start",
  request: storedRequest(Target),
  async act({ engine, container, dependencies }) {
    if (container.paused) throw new AppError("conflict", `${container.name} is paused: unpause it.`);
    await dependencies.pins.restore(container.mounts, { anew: true });
    await engine.containers.start(container.id);
    await finishStart(dependencies, engine, container.id);
  },
  isDone: ({ container }) => container?.state === "running",
});
