/** Records whether an engine answers. */
export function createAvailability() {
  const waiters = new Set<() => void>();
  const firstAttempt = Promise.withResolvers<void>();
  let available = false;
  let outages = 0;

  return {
    isAvailable: () => available,
    outages: () => outages,
    firstAttempt: firstAttempt.promise,
    set(now: boolean): void {
      if (available && !now) outages++;
      available = now;
      firstAttempt.resolve();
      if (!now) return;
      for (const wake of waiters) wake();
      waiters.clear();
    },
    whenAvailable: (signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        if (available || signal.aborted) return resolve();
        waiters.add(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      }),
  };
}
