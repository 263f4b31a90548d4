/** Runs a piece of work as soon as there is room for it. Returns what the work returns or throws. */
export type Semaphore = <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

export interface SemaphoreOptions {
  /** How many pieces of work run at the same time. */
  width: number;
  /** How many may wait. They get their turn in the order of the calls. */
  depth: number;
  /** Makes the error that a call throws if all places are taken. */
  full: () => Error;
}

/** Makes a semaphore. If a call's signal aborts while it waits, it throws the signal's reason and its work never starts. */
export function createSemaphore({ width, depth, full }: SemaphoreOptions): Semaphore {
  const waiting = new Set<() => void>();
  let running = 0;

  async function enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (running < width) {
      running++;
      return;
    }
    if (waiting.size >= depth) throw full();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => {
      if (waiting.delete(resolve)) reject(signal?.reason);
    };
    waiting.add(resolve);
    signal?.addEventListener("abort", abort, { once: true });
    await promise.finally(() => signal?.removeEventListener("abort", abort));
  }

  function leave(): void {
    const [next] = waiting;
    if (!next) return void running--;
    waiting.delete(next);
    next();
  }

  return async function run(work, signal) {
    await enter(signal);
    try {
      return await work();
    } finally {
      leave();
    }
  };
}

/** Makes a mutex: a semaphore that runs one piece of work after the other, in the order of the calls. */
export function createMutex(): Semaphore {
  return createSemaphore({ width: 1, depth: Infinity, full: () => new Error("a mutex is never full") });
}

/** Runs pieces of work for the same key one after the other; work for different keys runs at the same time. */
export type KeyedMutex = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Makes a keyed mutex. It forgets a key when no work for it is left. */
export function createKeyedMutex(): KeyedMutex {
  const last = new Map<string, Promise<void>>();

  return async function runExclusive(key, work) {
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

/**
 * Runs `work` for each item, for at most `width` of them at the same time, and returns the results in the order of the items.
 * Throws the first error; work that has begun goes on behind it.
 */
export async function mapAtOnce<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const queue = items.entries();
  const results: R[] = [];
  async function run(): Promise<void> {
    for (const [index, item] of queue) results[index] = await work(item);
  }
  await Promise.all(Array.from({ length: width }, run));
  return results;
}

/** Repeats one piece of work on request. */
export interface SharedRun {
  /** Resolves when a run has ended that began after the call; throws what that run throws. */
  (): Promise<void>;
  /** Resolves when no run is under way. */
  idle(): Promise<void>;
}

/** Makes a shared run. Runs never overlap, and all calls that come during one share the next. */
export function createSharedRun(work: () => Promise<void>): SharedRun {
  const runExclusive = createMutex();
  let next: Promise<void> | undefined;

  function run(): Promise<void> {
    next ??= runExclusive(() => {
      next = undefined;
      return work();
    });
    return next;
  }
  return Object.assign(run, { idle: () => runExclusive(() => Promise.resolve()) });
}
