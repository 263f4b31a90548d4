import { AppError, hasCode, messageOf } from "../errors.ts";
import type { StepRow, TaskRow, TaskStore } from "../storage/task-store.ts";
import type { TaskEnd } from "./ends.ts";
import type { Kinds, Rest, TaskContext, TaskResult } from "./handler.ts";
import { createJournal } from "./journal.ts";
import type { Progress } from "./progress.ts";
import { undoSteps } from "./undo.ts";
import type { Log } from "../util/log.ts";

/** Why a running task's signal aborts. */
export const cancelled = new AppError("cancelled", "The task was cancelled.");
export const ending = new AppError("cancelled", "The station is ending.");

/** A task that is being carried out or undone by this process. */
export interface Running {
  controller: AbortController;
  pivoted: boolean;
  undoing: boolean;
  /** It was found after a restart: what somebody waited for is settled and not done. */
  late: boolean;
  end: TaskEnd;
  now: Progress;
  report: (percent: number, detail: string) => void;
  rest: Rest;
}

export interface RunnerOptions {
  tasks: TaskStore;
  kinds: Kinds;
  /** Aborts when the station ends: what runs is then left as it is, for the next start. */
  end: AbortSignal;
  /** For what no caller will see: the static message and its fields. */
  log: Log;
}

/** Answers `debt` when something could not be undone yet. */
export type Outcome = "over" | "debt" | "left";

export function createRunner({ tasks, kinds, end, log }: RunnerOptions) {
  function contextOf(row: TaskRow, running: Running, steps: readonly StepRow[]): TaskContext {
    const { signal } = running.controller;
    const journal = createJournal(tasks, row.id, steps);
    return {
      id: row.id,
      user: row.user,
      name: row.name,
      params: JSON.parse(row.params) as unknown,
      signal,
      progress(percent, detail) {
        // A cancelled task says so, whatever its present step still reports.
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

  /** Until it succeeds, fails for good, or is aborted. */
  async function attempt(row: TaskRow, running: Running, steps: readonly StepRow[]): Promise<TaskResult> {
    const handler = kinds.handlers[row.kind];
    if (!handler) throw new AppError("unsupported", `This version cannot carry out ${row.kind} tasks.`);
    const { signal } = running.controller;
    const settle = running.late ? handler.settle : undefined;
    try {
      const context = contextOf(row, running, steps);
      return (await (settle ? settle(context) : handler.run(context))) ?? { result: 0, error: null };
    } catch (error) {
      signal.throwIfAborted();
      if (handler.settle && !settle) throw error;
      if (!(await kinds.recover(error, signal, running.rest))) throw error;
    }
    return attempt(row, running, await tasks.steps(row.id));
  }

  async function undo(row: TaskRow, running: Running): Promise<Outcome> {
    running.undoing = true;
    if (running.controller.signal.reason === cancelled) running.end = { error: cancelled };
    const word = running.controller.signal.reason === cancelled ? "Cancelling" : "Undoing";
    running.report(-1, word);
    const rest: Rest = (reason, wait) => running.rest({ ...reason, detail: `${word}: ${reason.detail}` }, wait);
    const owed = await undoSteps(kinds, row.id, await tasks.steps(row.id), {
      signal: AbortSignal.any([end]),
      rest,
      log,
    });
    if (end.aborted) return "left";
    await tasks.finish({ id: row.id, error: owed ?? null, debt: owed !== undefined, now: Date.now() });
    return owed === undefined ? "over" : "debt";
  }

  async function fail(row: TaskRow, running: Running, error: unknown): Promise<Outcome> {
    running.end = { error };
    if (!(error instanceof AppError) || hasCode(error, "internal")) log("task failed", { task: row.id, error });
    if (running.pivoted) {
      await tasks.complete({ id: row.id, result: 1, error: messageOf(error), now: Date.now() });
      return "over";
    }
    await tasks.startUndo({ id: row.id, error: messageOf(error), now: Date.now() });
    return undo(row, running);
  }

  return {
    async run(row: TaskRow, running: Running, steps: readonly StepRow[]): Promise<Outcome> {
      const { signal } = running.controller;
      try {
        const { result, error, output } = await attempt(row, running, steps);
        running.end = result === 0 ? { output } : { error: new AppError("engine_failed", error ?? "") };
        if (await tasks.complete({ id: row.id, result, error, now: Date.now() })) return "over";
        // A cancel came between the last step and the end.
        return await undo(row, running);
      } catch (error) {
        if (end.aborted) return "left";
        return signal.aborted && !running.pivoted ? undo(row, running) : fail(row, running, error);
      }
    },
    undo,
    fail,
  };
}
