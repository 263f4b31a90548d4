import { Type, type Static } from "typebox";
import { ContainerType } from "../../../api/create.ts";
import type { Container, Engine } from "../../../engines/engine.ts";
import { AppError } from "../../../errors.ts";
import type { EngineView } from "../../../inventory/engine-view.ts";

/** Fields of a request that says which container is meant. */
export const targetFields = {
  type: ContainerType,
  /** Full id of the container. */
  id: Type.String(),
  name: Type.String(),
  /** Which one of that name it is: another one that has got the name meanwhile is not meant. */
  incarnation: Type.String(),
};

/** A container as it was when the task was asked for. */
export const Target = Type.Object(targetFields);
export type Target = Static<typeof Target>;

/** Returns the container that is meant, as it is now; undefined if it was removed, renamed or replaced. */
export async function findTarget(engine: Engine, { id, name, incarnation }: Target): Promise<Container | undefined> {
  const found = await engine.containers.getById(id);
  return found?.incarnation === incarnation && found.name === name ? found : undefined;
}

/** Returns the error for a container that is no longer there. */
export function targetGone({ type, name, id }: Target): AppError {
  const sentence = `The ${type} container ${name} was removed, renamed or replaced meanwhile.`;
  return new AppError("not_found", sentence, { details: { type, id } });
}

/**
 * Shows a changed container to the inventory, so that lists agree with the answer that the client is about to get. If the
 * engine goes away now, what was done stays done.
 */
export async function refreshView(view: EngineView, id: string): Promise<void> {
  await view.refresh(id).catch(() => undefined);
}
