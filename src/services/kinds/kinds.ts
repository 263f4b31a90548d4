import type { Kinds } from "../../tasks/handler.ts";
import { loggedError } from "../secrets/logged-error.ts";
import type { KindDependencies } from "./dependencies.ts";
import { createRecovery } from "./recovery.ts";
import { taskKinds } from "./table.ts";
import type { AnyTaskKind } from "./task-kind.ts";

/** Makes the handlers and undo operations of all kinds for the task machine. */
export function createKinds(dependencies: KindDependencies): Kinds {
  const kinds: readonly AnyTaskKind[] = Object.values(taskKinds);
  const operations = kinds.flatMap(({ undo = [] }) => undo);
  return {
    handlers: Object.fromEntries(
      kinds.map((kind) => [kind.kind, (stored: unknown) => kind.handlerOf(stored, dependencies)]),
    ),
    undoers: Object.fromEntries(
      operations.map(({ op, undo }) => [
        op,
        (args: Record<string, unknown>, task: { id: number }) => undo(args, task, dependencies),
      ]),
    ),
    recover: createRecovery(dependencies.inventory),
    loggedError,
  };
}
