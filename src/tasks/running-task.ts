import { AppError } from "../errors.ts";
import type { TaskEnd } from "./end-waiters.ts";
import type { WaitOutsideLane } from "./handler.ts";
import type { Progress } from "./progress.ts";

/** The reason with which a task's signal aborts when the task is cancelled. */
export const cancelled = new AppError("cancelled", "The task was cancelled.");
/** The reason with which a task's signal aborts when the station ends. */
export const ending = new AppError("cancelled", "The station is ending.");

/** A task that this process runs or undoes. */
export interface RunningTask {
  /** Its signal stops the handler. */
  controller: AbortController;
  /** True after the pivot: the task can no longer be cancelled. */
  pivoted: boolean;
  /** True while its steps are undone. */
  undoing: boolean;
  /** True if an earlier process accepted the task: the handler's `settle` is called instead of `run`, if there is one. */
  resumed: boolean;
  /** How the task ends, as far as it is known. */
  end: TaskEnd;
  /** The progress that was reported last. */
  now: Progress;
  /** Reports progress: percent, or -1 if unknown, and a text for a person. */
  report: (percent: number, detail: string) => void;
  /** Waits without a place in the task's lane. */
  waitOutsideLane: WaitOutsideLane;
}

/**
 * What became of a task: `over` = it is final, `undo_failed` = it is final but an undo failed, `left` = it must be taken up
 * again, by the next start or after a failure of the store.
 */
export type Outcome = "over" | "undo_failed" | "left";
