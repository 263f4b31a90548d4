import type { Lane } from "../storage/task-store.ts";

/**
 * The places of the lanes. A task has one from its claim to its end, but not while it rests: then another task has it,
 * and the one that rested waits for a free place before it goes on. It is older than all that wait to begin, so it goes first.
 */
export function createLanes(widths: Readonly<Record<Lane, number>>) {
  const taken: Record<Lane, number> = { quick: 0, heavy: 0 };
  const returning: Record<Lane, Set<() => void>> = { quick: new Set(), heavy: new Set() };

  /** A lane of no width is held: nothing begins in it, but what has begun goes on, one at a time. */
  const room = (lane: Lane): boolean => taken[lane] < Math.max(1, widths[lane]);

  function leave(lane: Lane): void {
    taken[lane]--;
    const [next] = returning[lane];
    if (next && room(lane)) next();
  }

  return {
    /** Whether a new task may begin. */
    hasRoom: (lane: Lane): boolean => taken[lane] < widths[lane],
    /** Takes a place, even where there is none: what an earlier process left is taken up at once. */
    take: (lane: Lane): void => void taken[lane]++,
    leave,
    /** Takes a place as soon as there is one, and at once when the signal aborts: what is to end needs none. */
    async takeAgain(lane: Lane, signal: AbortSignal): Promise<void> {
      if (!room(lane) && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const enter = (): void => {
          returning[lane].delete(enter);
          signal.removeEventListener("abort", enter);
          taken[lane]++;
          resolve();
        };
        returning[lane].add(enter);
        signal.addEventListener("abort", enter, { once: true });
        return promise;
      }
      taken[lane]++;
    },
  };
}
