/** How a task ended, for who waits for it in this process: an error as it was thrown, with its code. */
export type TaskEnd = { output: unknown } | { error: unknown } | "withdrawn";

/** Those who wait for the end of a task. Nothing is kept of a task that nobody waits for. */
export function createEnds() {
  const waiting = new Map<number, PromiseWithResolvers<TaskEnd>>();

  return {
    /** To be called before the task can have ended. */
    of(id: number): Promise<TaskEnd> {
      let entry = waiting.get(id);
      if (!entry) waiting.set(id, (entry = Promise.withResolvers<TaskEnd>()));
      return entry.promise;
    },
    tell(id: number, end: TaskEnd): void {
      waiting.get(id)?.resolve(end);
      waiting.delete(id);
    },
    tellAll(end: TaskEnd): void {
      for (const { resolve } of waiting.values()) resolve(end);
      waiting.clear();
    },
  };
}
