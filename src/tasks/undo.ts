import type { StepRow } from "../storage/task-store.ts";
import { hasCode, messageOf } from "../errors.ts";
import type { Kinds, Rest } from "./handler.ts";
import type { Log } from "../util/log.ts";

export interface UndoOptions {
  signal: AbortSignal;
  rest: Rest;
  log: Log;
}

/**
 * Undoes a task's steps, newest first. Answers the sentence of what could not be undone, or undefined. Stops at the
 * first failure: what lies before it may need what lies after it undone.
 */
export async function undoSteps(
  kinds: Kinds,
  task: number,
  steps: readonly StepRow[],
  options: UndoOptions,
): Promise<string | undefined> {
  for (const step of steps.toReversed()) {
    if (!step.undo) continue;
    const failure = await undoStep(kinds, task, step, options);
    if (failure) return failure;
  }
  return undefined;
}

async function undoStep(
  kinds: Kinds,
  task: number,
  step: StepRow,
  { signal, rest, log }: UndoOptions,
): Promise<string | undefined> {
  const undoer = step.undo && kinds.undoers[step.undo.op];
  if (!step.undo || !undoer) return `Nothing is known to undo ${step.name}.`;
  for (;;) {
    try {
      await undoer(step.undo.args, { id: task });
      return undefined;
    } catch (error) {
      if (await kinds.recover(error, signal, rest)) continue;
      log("undo failed", { task, step: step.name, error });
      return hasCode(error, "internal") ? messageOf(error) : `Undoing ${step.name} failed: ${messageOf(error)}`;
    }
  }
}
