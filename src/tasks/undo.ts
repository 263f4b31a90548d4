import type { StepRow } from "../storage/task-store.ts";
import { hasCode, messageOf } from "../errors.ts";
import type { Kinds, WaitOutsideLane } from "./handler.ts";
import type { Log } from "../util/log.ts";

export interface UndoOptions {
  /** Ends waits for an engine. */
  signal: AbortSignal;
  /** Waits without a place in the task's lane. */
  waitOutsideLane: WaitOutsideLane;
  /** Is told about failures. */
  log: Log;
}

/**
 * Undoes a task's steps, newest first. Returns undefined, or a sentence about the first step that could not be undone. It
 * stops there, because older steps may not be undone before newer ones.
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
  { signal, waitOutsideLane, log }: UndoOptions,
): Promise<string | undefined> {
  const undoer = step.undo && kinds.undoers[step.undo.op];
  if (!step.undo || !undoer) return `Nothing is known to undo ${step.name}.`;
  for (;;) {
    try {
      await undoer(step.undo.args, { id: task });
      return undefined;
    } catch (error) {
      if (await kinds.recover(error, signal, waitOutsideLane)) continue;
      log.error("undo failed", { task, step: step.name, error });
      return hasCode(error, "internal") ? messageOf(error) : `Undoing ${step.name} failed: ${messageOf(error)}`;
    }
  }
}
