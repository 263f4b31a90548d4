import type { PullOptions, PullProgress } from "../images.ts";
import { cancelled } from "./failures.ts";

interface Flight<T> {
  done: Promise<T>;
  last: PullProgress | undefined;
  followers: Set<Follower>;
  controller: AbortController;
}

type Report = (progress: PullProgress) => void;
type Follower = { report: Report };

/** The work that is shared. The signal stops it; `report` tells all who wait of its progress. */
export type Work<T> = (signal: AbortSignal, report: Report) => Promise<T>;

/**
 * Returns what shares work: however many ask for the same at once, the work is done once, and all see its progress. It
 * is stopped when the last of them aborts, who then waits for its end.
 */
export function createSharedWork<T>() {
  const running = new Map<string, Flight<T>>();

  function begin(key: string, work: Work<T>): Flight<T> {
    const controller = new AbortController();
    const followers = new Set<Follower>();
    const report = (progress: PullProgress): void => {
      flight.last = progress;
      for (const follower of followers) follower.report(progress);
    };
    const flight: Flight<T> = {
      done: Promise.resolve().then(() => work(controller.signal, report)),
      last: undefined,
      followers,
      controller,
    };
    const forget = (): void => {
      if (running.get(key) === flight) running.delete(key);
    };
    flight.done.then(forget, forget);
    running.set(key, flight);
    return flight;
  }

  return async function share(key: string, { signal, onProgress }: PullOptions, work: Work<T>): Promise<T> {
    if (signal.aborted) throw cancelled();
    const flight = running.get(key) ?? begin(key, work);
    const follower = { report: onProgress ?? (() => undefined) };
    flight.followers.add(follower);
    if (flight.last) follower.report(flight.last);
    const left = Promise.withResolvers<"left">();
    const leave = (): void => left.resolve("left");
    signal.addEventListener("abort", leave, { once: true });
    try {
      const first = await Promise.race([flight.done.then((value) => ({ value })), left.promise]);
      if (first !== "left") return first.value;
      flight.followers.delete(follower);
      if (flight.followers.size > 0) throw cancelled();
      // Nobody may join what is being stopped. It may be too late to stop it: then it is done.
      if (running.get(key) === flight) running.delete(key);
      flight.controller.abort(cancelled());
      return await flight.done;
    } finally {
      signal.removeEventListener("abort", leave);
      flight.followers.delete(follower);
    }
  };
}
