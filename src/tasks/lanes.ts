import type { Lane } from "../storage/task-store.ts";

/**
 * Counts the places of the lanes. A task has a place from its claim to its end, except while it waits outside its lane:
 * then another task may have the place, and the first one waits for a free place before it goes on. It is older than all
 * tasks that wait to begin, so it comes first.
 */
export function createLanes(widths: Readonly<Record<Lane, number>>) {
  const used: Record<Lane, number> = { quick: 0, heavy: 0 };
  const returning: Record<Lane, Set<() => void>> = { quick: new Set(), heavy: new Set() };

  /** In a lane of width 0 no task begins, but tasks that have begun go on, one at a time. */
  const hasPlace = (lane: Lane): boolean => used[lane] < Math.max(1, widths[lane]);

  function leave(lane: Lane): void {
    used[lane]--;
    const [next] = returning[lane];
    if (next && hasPlace(lane)) next();
  }

  return {
    /** Tells whether a new task may begin. */
    hasRoom: (lane: Lane): boolean => used[lane] < widths[lane],
    /** Takes a place, even if there is none: tasks of an earlier process are taken up at once. */
    enter: (lane: Lane): void => void used[lane]++,
    leave,
    /** Takes a place as soon as there is one. If the signal aborts it takes one at once, because the task only ends. */
    async enterAgain(lane: Lane, signal: AbortSignal): Promise<void> {
      if (!hasPlace(lane) && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const enter = (): void => {
          returning[lane].delete(enter);
          signal.removeEventListener("abort", enter);
          used[lane]++;
          resolve();
        };
        returning[lane].add(enter);
        signal.addEventListener("abort", enter, { once: true });
        return promise;
      }
      used[lane]++;
    },
  };
}
