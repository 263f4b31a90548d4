/** Milliseconds that a caller waits for a new value when there is an older one. */
const usualPatience = 30;

/**
 * Returns a function that reads something anew and answers within `patience` ms: with the new value if it is there by then,
 * else with the last one, while the reading goes on. Only the first value is waited for to its end; it is read at once.
 * A reading that fails leaves what is known. Rejects as `read` does while nothing is known.
 */
export function createLastKnown<T>(read: () => Promise<T>, patience = usualPatience): () => Promise<T> {
  let known: { value: T } | undefined;
  let reading: Promise<T> | undefined;

  function refresh(): Promise<T> {
    reading ??= read()
      .then((value) => (known = { value }).value)
      .finally(() => (reading = undefined));
    return reading;
  }

  refresh().catch(() => undefined);
  return async () => {
    const fresh = refresh();
    if (!known) return fresh;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, patience);
    await Promise.race([fresh, late.promise]).catch(() => undefined);
    clearTimeout(timer);
    return known.value;
  };
}
