import { cancelled } from "./failures.ts";

/** One piece of work at a time, in the order in which they came; who waits can be stopped. */
export function createQueue() {
  let last: Promise<unknown> = Promise.resolve();

  return async function pass<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = last;
    const { promise: own, resolve: end } = Promise.withResolvers<void>();
    last = Promise.all([before, own]);
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    const stop = (): void => reject(cancelled());
    signal.addEventListener("abort", stop, { once: true });
    try {
      await Promise.race([before, stopped]);
      return await work();
    } finally {
      signal.removeEventListener("abort", stop);
      end();
    }
  };
}
