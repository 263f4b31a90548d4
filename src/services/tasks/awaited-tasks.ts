import { AppError } from "../../errors.ts";
import type { TaskQuota } from "../../storage/task-quota.ts";
import type { NewTask, TaskStore } from "../../storage/task-store.ts";
import type { TaskEnd } from "../../tasks/end-waiters.ts";
import type { TaskMachine } from "../../tasks/machine.ts";
import { busyWith, refusal } from "../access/conflicts.ts";
import type { User } from "../access/policy.ts";
import { quotaOf } from "../access/task-quota.ts";

export interface AwaitedTaskOptions {
  /** Accepts and withdraws tasks. */
  machine: Pick<TaskMachine, "acceptAwaited" | "waitForEnd" | "withdraw">;
  /** The store of tasks. */
  tasks: Pick<TaskStore, "row">;
  /** What each user who is no admin may have in the store. */
  userQuota: TaskQuota;
  /** Milliseconds after which a task that has not begun is withdrawn; 60,000 by default. */
  startWithin?: number;
  /** Milliseconds after which the caller is told that the task goes on; 120,000 by default. */
  answerWithin?: number;
}

export type AwaitedTasks = ReturnType<typeof createAwaitedTasks>;

/**
 * Runs tasks for whose end the caller waits.
 *
 * - Behind a heavy task for the same thing a task is refused at once, naming that task; behind quick ones it waits.
 * - If the client disconnects, a task that has not begun is withdrawn; a running one completes.
 * - No task begins later than `startWithin` after it was asked for.
 */
export function createAwaitedTasks(options: AwaitedTaskOptions) {
  const { machine, tasks, userQuota, startWithin = 60_000, answerWithin = 120_000 } = options;

  /**
   * Accepts a task and returns its output. Throws what the task throws, `conflict` behind a heavy task, and `timeout` if
   * it was withdrawn or takes too long.
   */
  async function run(task: NewTask, user: User, signal: AbortSignal): Promise<unknown> {
    const accepted = await machine.acceptAwaited({ ...task, ...quotaOf(user, task.kind, userQuota) });
    if ("behind" in accepted) {
      const row = await tasks.row(accepted.behind);
      throw busyWith(user, task.name, { id: accepted.behind, row });
    }
    if ("repeated" in accepted) throw new AppError("internal", "A task that is waited for has no key.");
    if ("id" in accepted) return outputOf(accepted.id, await follow(accepted.id, signal));
    throw refusal(accepted, user);
  }

  /** Waits for the end of a task that was accepted in another way, and may have ended long ago. Throws as `run`. */
  async function waitForEnd(id: number, signal: AbortSignal): Promise<void> {
    outputOf(id, await follow(id, signal, () => endOf(id)));
  }

  /** Returns how a task has ended, from its row. Never resolves while it has not. */
  async function endOf(id: number): Promise<TaskEnd> {
    const row = await tasks.row(id);
    if (row?.state === "completed") return { output: undefined };
    if (row?.state === "cancelled") return "withdrawn";
    if (row?.state !== "error") return new Promise<never>(() => undefined);
    return { error: new AppError("engine_failed", row.error ?? `Task ${id} failed.`) };
  }

  /** Waits for the end of a task. `look` returns it if it came before. */
  async function follow(id: number, signal: AbortSignal, look?: () => Promise<TaskEnd>): Promise<TaskEnd> {
    const over = new AbortController();
    const ended = machine.waitForEnd(id, over.signal);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const withdraw = (): void => void machine.withdraw(id).catch(() => undefined);
    const notBegun = setTimeout(withdraw, startWithin);
    const tooLong = setTimeout(() => reject(stillRunning(id)), answerWithin);
    signal.addEventListener("abort", withdraw, { once: true });
    if (signal.aborted) withdraw();
    try {
      return await Promise.race([ended, late, ...(look ? [look()] : [])]);
    } finally {
      clearTimeout(notBegun);
      clearTimeout(tooLong);
      signal.removeEventListener("abort", withdraw);
      over.abort();
    }
  }

  return { run, waitForEnd };
}

function outputOf(id: number, taskEnd: TaskEnd): unknown {
  if (taskEnd === "withdrawn") throw withdrawn(id);
  if ("error" in taskEnd) throw taskEnd.error;
  return taskEnd.output;
}

function stillRunning(id: number): AppError {
  return new AppError("timeout", `Task ${id} takes longer than this answer waits; it goes on.`, {
    details: { task: id },
  });
}

function withdrawn(id: number): AppError {
  return new AppError("timeout", `Task ${id} was taken back before it began; nothing was done.`, {
    details: { task: id },
  });
}
