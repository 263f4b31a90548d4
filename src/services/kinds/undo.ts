import { Type } from "typebox";
import { ContainerType } from "../../api/create.ts";
import { AppError } from "../../errors.ts";
import type { Undo } from "../../storage/task-store.ts";
import type { KindDependencies } from "./dependencies.ts";
import { type StoredRequest, storedRequest } from "./stored-request.ts";

/** An operation that undoes a step, whatever its arguments are. */
export interface UndoOperation {
  /** Name of the operation in journals. It never changes. */
  op: string;
  /** Undoes the step of a task. It may be called several times, and touches only what bears the task's mark. */
  undo(args: unknown, task: { id: number }, dependencies: KindDependencies): Promise<void>;
}

/** An operation with its arguments. */
export interface UndoOperationOf<Args> extends UndoOperation {
  /** Returns what a journal says of a step that this operation undoes. */
  of(args: Args): Undo;
}

/** Makes an operation. `parse` reads its arguments as they are stored. */
export function defineUndo<Args extends Record<string, unknown>>(
  op: string,
  { parse }: StoredRequest<Args>,
  undo: (args: Args, task: { id: number }, dependencies: KindDependencies) => Promise<void>,
): UndoOperationOf<Args> {
  return {
    op,
    of: (args) => ({ op, args }),
    undo: (args, task, dependencies) => undo(parse(args), task, dependencies),
  };
}

/** Removes the container of this name, if it bears the task's mark. */
export const removeContainer = defineUndo(
  "remove_container",
  storedRequest(Type.Object({ engine: ContainerType, name: Type.String() })),
  async ({ engine: type, name }, task, { inventory, marks }) => {
    const { engine } = inventory.require(type);
    const found = await engine.containers.getByName(name);
    if (!found || !marks.isOurs(found.mark, task.id)) return;
    await engine.containers.remove(found.id);
    const left = await engine.containers.getById(found.id);
    if (left) throw new AppError("engine_failed", `${type} still has the container ${name}.`);
  },
);

/** Takes the mounts of folders for the task's container away, which is gone by now. */
export const releaseFolders = defineUndo(
  "release_folders",
  storedRequest(Type.Object({ engine: Type.String() })),
  async ({ engine }, task, { pins }) => pins.release(engine, task.id),
);

/** Drops the record of the container with this UUID in the containers-and-jobs API. */
export const forgetRecord = defineUndo(
  "openvz_forget",
  storedRequest(Type.Object({ container: Type.String() })),
  async ({ container }, _task, { openvz }) => openvz.forget(container),
);
