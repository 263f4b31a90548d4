import type { StepRow, TaskRow, TaskStore } from "../storage/task-store.ts";
import type { TaskContext } from "./handler.ts";
import { createJournal } from "./journal.ts";
import { cancelled, type RunningTask } from "./running-task.ts";

/** Makes the context that a handler gets. `steps` are the steps that were written before this run. */
export function createTaskContext(
  tasks: TaskStore,
  row: TaskRow,
  running: RunningTask,
  steps: readonly StepRow[],
): TaskContext {
  const { signal } = running.controller;
  const journal = createJournal(tasks, row.id, steps);
  return {
    id: row.id,
    user: row.user,
    name: row.name,
    signal,
    progress(percent, detail) {
      // A cancelled task keeps its own detail, whatever its present step still reports.
      if (!signal.aborted) running.report(percent, detail);
    },
    async step(name, undo, act) {
      signal.throwIfAborted();
      return journal.step(name, undo, (repeated) => {
        // A cancel may have come while the step was being written.
        signal.throwIfAborted();
        return act(repeated);
      });
    },
    async pivot() {
      if (!(await tasks.passPivot(row.id))) throw cancelled;
      running.pivoted = true;
    },
  };
}
