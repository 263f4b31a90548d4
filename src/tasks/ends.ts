/** How a task ended, for who waits for it in this process: an error as it was thrown, with its code. */
export type TaskEnd = { output: unknown } | { error: unknown } | "withdrawn";

type Tell = (end: TaskEnd) => void;

/** Those who wait for the end of a task. Nothing is kept of a task that nobody waits for. */
export function createEnds() {
  const waiting = new Map<number, Set<Tell>>();

  function leave(id: number, tell: Tell): void {
    const others = waiting.get(id);
    others?.delete(tell);
    if (others?.size === 0) waiting.delete(id);
  }

  return {
    /** To be called before the task can have ended; until the signal aborts. */
    of(id: number, until: AbortSignal): Promise<TaskEnd> {
      const { promise, resolve } = Promise.withResolvers<TaskEnd>();
      let others = waiting.get(id);
      if (!others) waiting.set(id, (others = new Set()));
      others.add(resolve);
      until.addEventListener("abort", () => leave(id, resolve), { once: true });
      return promise;
    },
    tell(id: number, end: TaskEnd): void {
      for (const tell of waiting.get(id) ?? []) tell(end);
      waiting.delete(id);
    },
    tellAll(end: TaskEnd): void {
      for (const tells of waiting.values()) for (const tell of tells) tell(end);
      waiting.clear();
    },
    /** Tasks that are waited for. */
    size: () => waiting.size,
  };
}
