/**
 * How a task ended, for those who wait for it in this process: with the handler's output, with the error that was thrown,
 * or `withdrawn` before it began.
 */
export type TaskEnd = { output: unknown } | { error: unknown } | "withdrawn";

type Waiter = (end: TaskEnd) => void;

/** Those who wait for the end of a task. Ends of tasks that nobody waits for are not kept. */
export function createEndWaiters() {
  const waiters = new Map<number, Set<Waiter>>();

  function remove(id: number, waiter: Waiter): void {
    const others = waiters.get(id);
    others?.delete(waiter);
    if (others?.size === 0) waiters.delete(id);
  }

  return {
    /** Resolves when the task ends; never if the signal aborts first. Must be called before the task can end. */
    wait(id: number, signal: AbortSignal): Promise<TaskEnd> {
      const { promise, resolve } = Promise.withResolvers<TaskEnd>();
      let others = waiters.get(id);
      if (!others) waiters.set(id, (others = new Set()));
      others.add(resolve);
      signal.addEventListener("abort", () => remove(id, resolve), { once: true });
      return promise;
    },
    /** Tells all who wait for this task. */
    notify(id: number, end: TaskEnd): void {
      for (const waiter of waiters.get(id) ?? []) waiter(end);
      waiters.delete(id);
    },
    /** Tells all who wait for any task. */
    notifyAll(end: TaskEnd): void {
      for (const some of waiters.values()) for (const waiter of some) waiter(end);
      waiters.clear();
    },
    /** Returns how many tasks are waited for. */
    size: () => waiters.size,
  };
}
