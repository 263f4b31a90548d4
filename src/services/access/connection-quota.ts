import { AppError } from "../../errors.ts";

/** How many connections a user may leave waiting: streams and long polls. */
export interface ConnectionQuota {
  /** Until the signal aborts. Throws `too_many`. */
  take(user: string, signal: AbortSignal): void;
}

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
