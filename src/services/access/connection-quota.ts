import { AppError } from "../../errors.ts";

/** Limits the streams and long polls that one user has open. */
export interface ConnectionQuota {
  /** Counts a connection of a user until the signal aborts. Throws `too_many`. */
  take(user: string, signal: AbortSignal): void;
}

/** Makes the quota. `perUser` is how many connections one user may have open. */
export function createConnectionQuota(perUser: number): ConnectionQuota {
  const taken = new Map<string, number>();

  function give(user: string): void {
    const left = (taken.get(user) ?? 1) - 1;
    if (left === 0) taken.delete(user);
    else taken.set(user, left);
  }

  return {
    take(user, signal) {
      const count = taken.get(user) ?? 0;
      if (count >= perUser)
        throw new AppError(
          "too_many",
          `${user} has ${count} streams open already: close some, or raise --max-streams.`,
        );
      if (signal.aborted) return;
      taken.set(user, count + 1);
      signal.addEventListener("abort", () => give(user), { once: true });
    },
  };
}
