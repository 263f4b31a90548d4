import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";

/** Milliseconds for which a turn of the event loop may last that has nothing to do. */
const idleTurn = 1;
/** Milliseconds of a pause at most. */
const longestPause = 50;

/**
 * Passes parts on, each read when its reader asks for it. After each part other work gets a turn of the event loop; if there was
 * some, the next part is read after a pause that is as long as the part took to be read, so that others have half of the time.
 */
export async function* paced<T>(parts: AsyncIterator<T>): AsyncGenerator<T, void, undefined> {
  try {
    for (;;) {
      const begun = performance.now();
      const next = await parts.next();
      if (next.done) return;
      const took = performance.now() - begun;
      yield next.value;
      await giveWay(took);
    }
  } finally {
    await parts.return?.();
  }
}

async function giveWay(pause: number): Promise<void> {
  const begun = performance.now();
  await nextTurn();
  if (performance.now() - begun > idleTurn) await sleep(Math.min(pause, longestPause));
}
