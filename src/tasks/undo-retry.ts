import type { TaskStore } from "../storage/task-store.ts";
import type { Log } from "../util/log.ts";
import type { Kinds } from "./handler.ts";
import { undoSteps } from "./undo.ts";

export interface UndoRetryOptions {
  /** The store of tasks. */
  tasks: TaskStore;
  /** The kinds of tasks, of which the undoers are used. */
  kinds: Kinds;
  /** Aborts when the station ends. */
  end: AbortSignal;
  /** Is told about failures. */
  log: Log;
  /** Is called when a task is undone: others may have its locks. */
  onUndone: (task: number) => void;
}

/** Milliseconds between two attempts. */
const interval = 30_000;

/** Repeats the undoing of tasks that ended with a failed undo, until it succeeds. */
export function createUndoRetry({ tasks, kinds, end, log, onUndone }: UndoRetryOptions) {
  const failed = new Set<number>();
  // An attempt does not wait for an engine that is away: it would delay the undoing of other tasks.
  const withoutRecovery: Kinds = { ...kinds, recover: async () => false };
  let busy = false;

  async function retryAll(): Promise<void> {
    for (const id of failed) {
      const failure = await undoSteps(withoutRecovery, id, await tasks.steps(id), {
        signal: end,
        waitOutsideLane: async () => undefined,
        log,
      });
      if (failure !== undefined || end.aborted) continue;
      await tasks.clearFailedUndo(id);
      failed.delete(id);
      onUndone(id);
    }
  }

  function attempt(): void {
    if (busy) return;
    busy = true;
    retryAll()
      .catch((error: unknown) => log.error("undo retry", { error }))
      .finally(() => (busy = false));
  }

  return {
    /** Adds a task whose undo has failed. */
    add: (task: number): void => void failed.add(task),
    /** Begins to repeat, until the station ends. */
    start(): void {
      const timer = setInterval(attempt, interval);
      end.addEventListener("abort", () => clearInterval(timer), { once: true });
    },
  };
}
