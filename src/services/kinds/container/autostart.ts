import { Type } from "typebox";
import { storedRequest } from "../stored-request.ts";
import { targetFields } from "./target.ts";
import { defineContainerVerb } from "./verb.ts";

/** Says whether a container is started with the host. */
export const containerAutostart = defineContainerVerb({
  kind: "container_autostart",
  verb: "container:autostart",
  request: storedRequest(Type.Object({ ...targetFields, on: Type.Boolean() })),
  act: ({ engine, container, request }) => engine.containers.setAutostart(container.id, request.on),
  async isDone({ engine, container, request }) {
    return container !== undefined && (await engine.containers.settings(container.id)).autostart === request.on;
  },
});
