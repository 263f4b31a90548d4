import { storedRequest } from "../stored-request.ts";
import { Target } from "./target.ts";
import { defineContainerVerb } from "./verb.ts";

/** Lets a paused container go on. */
export const containerUnpause = defineContainerVerb({
  kind: "container_unpause",
  verb: "container:unpause",
  request: storedRequest(Target),
  act: ({ engine, container }) => engine.containers.unpause(container.id),
  isDone: ({ container }) => container?.state === "running" && !container.paused,
});
