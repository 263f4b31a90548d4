/** What is done to one thing goes one after the other; what is done to others goes on beside it. */
export function createTurns() {
  const last = new Map<string, Promise<void>>();

  return async function turn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = last.get(key);
    const { promise: own, resolve: end } = Promise.withResolvers<void>();
    last.set(key, own);
    try {
      await before;
      return await work();
    } finally {
      end();
      if (last.get(key) === own) last.delete(key);
    }
  };
}
