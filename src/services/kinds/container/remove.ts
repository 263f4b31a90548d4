import { Type } from "typebox";
import type { Container } from "../../../engines/engine.ts";
import { AppError } from "../../../errors.ts";
import { storedRequest } from "../stored-request.ts";
import { targetFields } from "./target.ts";
import { defineContainerVerb } from "./verb.ts";

/** Removes a container; one that runs only with `force`. */
export const containerRemove = defineContainerVerb({
  kind: "container_remove",
  verb: "container:remove",
  request: storedRequest(Type.Object({ ...targetFields, keepVolumes: Type.Boolean(), force: Type.Boolean() })),
  async act({ engine, container, request }) {
    assertRemovable(container, request.force);
    await engine.containers.remove(container.id, { keepVolumes: request.keepVolumes });
  },
  isDone: ({ container }) => container === undefined,
});

/** Throws `conflict` for a container that runs, unless its removal is forced. */
export function assertRemovable({ state, name }: Container, force: boolean): void {
  if (state === "stopped" || force) return;
  throw new AppError("conflict", `${name} is running: stop it first, or remove it with force=true.`);
}
