import { AppError } from "../errors.ts";
import type { Accepted, NewTask, TaskStore } from "../storage/task-store.ts";
import type { createScheduler } from "./scheduler.ts";

export interface AcceptanceOptions {
  /** The store of tasks. */
  tasks: TaskStore;
  /** Gets the accepted tasks. */
  scheduler: ReturnType<typeof createScheduler>;
  /** How many tasks may wait or run. */
  maxTasks: number;
  /** Aborts when the station ends. */
  end: AbortSignal;
  /** Is called after a task was withdrawn: tasks behind it may be ready now. */
  onWithdrawn: (task: number) => void;
}

/** Accepts new tasks, and withdraws those that have not begun. */
export function createAcceptance({ tasks, scheduler, maxTasks, end, onWithdrawn }: AcceptanceOptions) {
  /** Number of tasks that the store is writing. */
  let accepting = 0;

  /**
   * Accepts a task; it is on disk when this resolves. Throws `too_many` if too many tasks wait or run, and
   * `engine_unavailable` while the station ends.
   */
  async function accept(task: NewTask): Promise<Accepted> {
    if (scheduler.size() + accepting >= maxTasks)
      throw new AppError("too_many", `More than ${maxTasks} tasks are waiting; try again later.`);
    if (end.aborted) throw new AppError("engine_unavailable", "The station is ending; try again in a moment.");
    accepting++;
    const accepted = await tasks.accept(task).finally(() => accepting--);
    if ("id" in accepted) scheduler.add({ id: accepted.id, lane: task.lane, locks: task.locks });
    return accepted;
  }

  /** Withdraws a task that has not begun. Returns false if it has. */
  async function withdraw(id: number): Promise<boolean> {
    if (!(await tasks.withdraw({ id, now: Date.now() }))) return false;
    onWithdrawn(id);
    return true;
  }

  /**
   * Accepts a task for whose end somebody waits, unless a heavy task holds one of its keys or waits for it: then it returns
   * that task's id as `behind`, and the new task is not accepted.
   */
  async function acceptAwaited(task: NewTask): Promise<Accepted | { behind: number }> {
    if (!scheduler.isOpen())
      throw new AppError("engine_unavailable", "The station is starting; try again in a moment.");
    const behind = scheduler.heavyTaskAt(task.locks);
    if (behind !== undefined) return { behind };
    const accepted = await accept(task);
    // A heavy task may have come in while the store was writing.
    const ahead = "id" in accepted ? scheduler.heavyTaskAt(task.locks, accepted.id) : undefined;
    if ("id" in accepted && ahead !== undefined && (await withdraw(accepted.id))) return { behind: ahead };
    return accepted;
  }

  return { accept, acceptAwaited, withdraw };
}
