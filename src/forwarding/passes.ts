/** Runs of a piece of work, one after the other. Answers when one has ended that began after the call. */
export interface Passes {
  (): Promise<void>;
  /** Resolves when none is under way. */
  idle(): Promise<void>;
}

/** Calls that come while one runs share the next. */
export function createPasses(work: () => Promise<void>): Passes {
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  function pass(): Promise<void> {
    if (next) return next;
    const turn = last.then(() => {
      next = undefined;
      return work();
    });
    next = turn;
    last = turn.catch(() => undefined);
    return turn;
  }
  return Object.assign(pass, { idle: () => last });
}
