import { getHeapStatistics } from "node:v8";

/** Milliseconds between two looks at the heap. The first is so long after the start. */
const usualInterval = 5_000;
/** Share of an interval in which this thread may have worked and still counts as idle. */
const idleShare = 0.1;
/** Bytes by which the heap must have grown since the last collection. */
const worthwhile = 6 << 20;
/** A collection of a larger heap would take long. There V8 collects often enough by itself. */
const largest = 128 << 20;

/**
 * Gives memory of this thread's heap back to the host while the thread is idle: what the start needed, and what a large answer
 * left. V8 itself does so only when more is allocated. A collection takes about 50 ms. Needs the flag --expose-gc.
 */
export function returnIdleMemory(interval = usualInterval): void {
  const { gc } = globalThis;
  if (!gc) return;
  let kept = 0;
  let before = performance.eventLoopUtilization();

  async function look(): Promise<void> {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    const size = heapSize();
    if (utilization > idleShare || size > largest || size < kept + worthwhile) return;
    await gc?.({ type: "major", execution: "async", flavor: "last-resort" });
    kept = heapSize();
  }

  setInterval(() => void look(), interval).unref();
}

function heapSize(): number {
  return getHeapStatistics().total_physical_size;
}
