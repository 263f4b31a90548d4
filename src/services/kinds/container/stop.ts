import { Type } from "typebox";
import { storedRequest } from "../stored-request.ts";
import { targetFields } from "./target.ts";
import { defineContainerVerb } from "./verb.ts";

/** A request to stop or restart a container; `grace` in seconds. */
export const StopRequest = Type.Object({ ...targetFields, grace: Type.Optional(Type.Integer()) });

/** Stops a container: it is asked to end, and killed when its grace is over. */
export const containerStop = defineContainerVerb({
  kind: "container_stop",
  verb: "container:stop",
  endsOnly: true,
  request: storedRequest(StopRequest),
  act: ({ engine, container, request, context }) =>
    engine.containers.stop(container.id, { grace: request.grace, signal: context.signal }),
  isDone: ({ container }) => container?.state === "stopped",
});
