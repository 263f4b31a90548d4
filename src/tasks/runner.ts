import { AppError, hasCode, messageOf } from "../errors.ts";
import type { StepRow, TaskRow, TaskStore } from "../storage/task-store.ts";
import type { Log } from "../util/log.ts";
import type { Handler, Kinds, TaskResult, WaitOutsideLane } from "./handler.ts";
import { cancelled, type Outcome, type RunningTask } from "./running-task.ts";
import { createTaskContext } from "./task-context.ts";
import { undoSteps } from "./undo.ts";

export interface RunnerOptions {
  /** The store of tasks. */
  tasks: TaskStore;
  /** The kinds of tasks. */
  kinds: Kinds;
  /** Aborts when the station ends: running tasks are then left as they are for the next start. */
  end: AbortSignal;
  /** Is told about failures whose details no client sees. */
  log: Log;
}

/** Leads one task to its end. Every method throws if the store cannot write. */
export function createRunner({ tasks, kinds, end, log }: RunnerOptions) {
  function reasonFor(row: TaskRow, error: string | null): string | undefined {
    return error === null ? undefined : kinds.loggedError(error, JSON.parse(row.params));
  }

  /** Runs the handler until it succeeds, fails for good, or is aborted. */
  async function attempt(
    handler: Handler,
    row: TaskRow,
    running: RunningTask,
    steps: readonly StepRow[],
  ): Promise<TaskResult> {
    const { signal } = running.controller;
    const settle = running.resumed ? handler.settle : undefined;
    try {
      const context = createTaskContext(tasks, row, running, steps);
      return (await (settle ? settle(context) : handler.run(context))) ?? { result: 0, error: null };
    } catch (error) {
      signal.throwIfAborted();
      if (handler.settle && !settle) throw error;
      if (!(await kinds.recover(error, signal, running.waitOutsideLane))) throw error;
    }
    return attempt(handler, row, running, await tasks.steps(row.id));
  }

  async function undo(row: TaskRow, running: RunningTask): Promise<Outcome> {
    running.undoing = true;
    const isCancelled = running.controller.signal.reason === cancelled;
    if (isCancelled) running.end = { error: cancelled };
    const word = isCancelled ? "Cancelling" : "Undoing";
    running.report(-1, word);
    const waitOutsideLane: WaitOutsideLane = (reason, wait) =>
      running.waitOutsideLane({ ...reason, detail: `${word}: ${reason.detail}` }, wait);
    const failure = await undoSteps(kinds, row.id, await tasks.steps(row.id), {
      signal: AbortSignal.any([end]),
      waitOutsideLane,
      log,
    });
    if (end.aborted) return "left";
    const undoFailed = failure !== undefined;
    const reason = reasonFor(row, failure ?? (isCancelled ? null : row.error));
    await tasks.finish({ id: row.id, error: failure ?? null, reason, undoFailed, now: Date.now() });
    return undoFailed ? "undo_failed" : "over";
  }

  async function fail(row: TaskRow, running: RunningTask, error: unknown): Promise<Outcome> {
    running.end = { error };
    if (!(error instanceof AppError) || hasCode(error, "internal")) log.error("task failed", { task: row.id, error });
    const message = messageOf(error);
    if (running.pivoted) {
      const reason = reasonFor(row, message);
      await tasks.complete({ id: row.id, result: 1, error: message, reason, now: Date.now() });
      return "over";
    }
    await tasks.startUndo({ id: row.id, error: message, now: Date.now() });
    return undo({ ...row, error: message }, running);
  }

  return {
    /** Runs a claimed task. `steps` are the steps that were written before, by an earlier process. */
    async run(row: TaskRow, running: RunningTask, steps: readonly StepRow[]): Promise<Outcome> {
      const { signal } = running.controller;
      try {
        const { result, error, notice, made, output } = await attempt(handlerOf(kinds, row), row, running, steps);
        running.end = result === 0 ? { output } : { error: new AppError("engine_failed", error ?? "") };
        const reason = result === 0 ? undefined : reasonFor(row, error);
        if (await tasks.complete({ id: row.id, result, error, notice, made, reason, now: Date.now() })) return "over";
        // A cancel came between the last step and the end.
        return await undo(row, running);
      } catch (error) {
        if (end.aborted) return "left";
        return signal.aborted && !running.pivoted ? undo(row, running) : fail(row, running, error);
      }
    },
    /** Undoes a task that is undoing already. */
    undo,
    /** Ends a running task with an error: undoes it, or completes it if it is past its pivot. */
    fail,
  };
}

export type Runner = ReturnType<typeof createRunner>;

/** Returns the handler of a task. The task's request is parsed here, once. Throws `unsupported`. */
function handlerOf({ handlers }: Kinds, { kind, params }: TaskRow): Handler {
  const createHandler = handlers[kind];
  if (!createHandler) throw new AppError("unsupported", `This version cannot carry out ${kind} tasks.`);
  return createHandler(JSON.parse(params));
}
