import { storedRequest } from "../stored-request.ts";
import { Target } from "./target.ts";
import { defineContainerVerb } from "./verb.ts";

/** Pauses a running container. */
export const containerPause = defineContainerVerb({
  kind: "container_pause",
  verb: "container:pause",
  request: storedRequest(Target),
  act: ({ engine, container }) => engine.containers.pause(container.id),
  isDone: ({ container }) => container?.paused === true,
});
