/** Lets `width` pieces of work run at once and `depth` wait; a further one is refused by `full`. */
export function createGate({ width, depth, full }: { width: number; depth: number; full: () => Error }) {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async function pass<T>(work: () => Promise<T>): Promise<T> {
    if (busy >= width) {
      if (waiting.length >= depth) throw full();
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else busy++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else busy--;
    }
  };
}
