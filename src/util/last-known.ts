/** Milliseconds that a caller waits for a new value if there is an older one. */
const defaultPatience = 30;

/**
 * Returns a function that reads a value and resolves within `patience` milliseconds: with the new value if it is there by
 * then, otherwise with the last one, while the reading goes on. Only the first value, whose reading begins at once, is
 * waited for without a limit. A failed reading keeps the last value; without one the function rejects as `read` does.
 */
export function createLastKnown<T>(read: () => Promise<T>, patience = defaultPatience): () => Promise<T> {
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
