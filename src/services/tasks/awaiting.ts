import { AppError } from "../../errors.ts";
import type { TaskQuota } from "../../storage/task-quota.ts";
import type { NewTask, TaskStore } from "../../storage/task-store.ts";
import type { TaskEnd } from "../../tasks/end-waiters.ts";
import type { TaskMachine } from "../../tasks/machine.ts";
import { busyWith, refusal } from "../access/conflicts.ts";
import type { User } from "../access/policy.ts";
import { quotaOf } from "../access/task-quota.ts";

export interface AwaitingOptions {
  machine: Pick<TaskMachine, "acceptAwaited" | "waitForEnd" | "withdraw">;
  tasks: Pick<TaskStore, "row">;
  /** Of each user who is no admin. */
  quota: TaskQuota;
  /** Milliseconds after which a task that has not begun is taken back. */
  startWithin?: number;
  /** Milliseconds after which its caller is told that it goes on. */
  answerWithin?: number;
}

/**
 * Tasks whose caller waits for the end.
 *
 * - Behind a heavy task at the same thing it is refused at once, naming that task; behind quick ones it waits.
 * - Who hangs up takes back what has not begun; what has is finished.
 * - Nothing begins later than `startWithin` after it was asked for.
 */
export type Awaiting = ReturnType<typeof createAwaiting>;

export function createAwaiting(options: AwaitingOptions) {
  const { machine, tasks, quota, startWithin = 60_000, answerWithin = 120_000 } = options;

  async function run(task: NewTask, user: User, signal: AbortSignal): Promise<unknown> {
    const accepted = await machine.acceptAwaited({ ...task, ...quotaOf(user, task.kind, quota) });
    if ("behind" in accepted) {
      const row = await tasks.row(accepted.behind);
      throw busyWith(user, task.name, { id: accepted.behind, row });
    }
    if ("repeated" in accepted) throw new AppError("internal", "A task that is waited for has no key.");
    if ("id" in accepted) return output(accepted.id, await follow(accepted.id, signal));
    throw refusal(accepted, user);
  }

  /** The same, for a task that was accepted in another way, and may have ended long ago. */
  async function end(id: number, signal: AbortSignal): Promise<void> {
    output(id, await follow(id, signal, () => endOf(id)));
  }

  /** As its row tells; never, while it has not ended. */
  async function endOf(id: number): Promise<TaskEnd> {
    const row = await tasks.row(id);
    if (row?.state === "completed") return { output: undefined };
    if (row?.state === "cancelled") return "withdrawn";
    if (row?.state !== "error") return new Promise<never>(() => undefined);
    return { error: new AppError("engine_failed", row.error ?? `Task ${id} failed.`) };
  }

  async function follow(id: number, signal: AbortSignal, look?: () => Promise<TaskEnd>): Promise<TaskEnd> {
    const over = new AbortController();
    const ended = machine.waitForEnd(id, over.signal);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const withdraw = (): void => void machine.withdraw(id).catch(() => undefined);
    const notBegun = setTimeout(withdraw, startWithin);
    const tooLong = setTimeout(() => reject(goesOn(id)), answerWithin);
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

  function output(id: number, taskEnd: TaskEnd): unknown {
    if (taskEnd === "withdrawn") throw cancelled(id);
    if ("error" in taskEnd) throw taskEnd.error;
    return taskEnd.output;
  }

  return { run, end };
}

function goesOn(id: number): AppError {
  return new AppError("timeout", `Task ${id} takes longer than this answer waits; it goes on.`, {
    details: { task: id },
  });
}

function cancelled(id: number): AppError {
  return new AppError("timeout", `Task ${id} was taken back before it began; nothing was done.`, {
    details: { task: id },
  });
}
