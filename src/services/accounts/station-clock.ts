import type { Boot } from "../../host/boot.ts";
import type { ClockMark, ClockStore } from "../../storage/clock-store.ts";
import type { Log } from "../../util/log.ts";

/**
 * The time that expiry is measured by. The host's clock can be set back, also while the station is down; what expires must
 * not live longer by that. So the station writes down how late it is, and at its start counts on from there by the time
 * that the host has been up since then. If the host's clock is ahead of that, the host's clock counts.
 */
export interface StationClock {
  /** Epoch milliseconds, whole. Never earlier than the host's clock. */
  now(): number;
  /** Returns what the host's clock shows, or would have shown, at this station time. */
  shown(time: number): number;
  /** Stops; the next start counts on from here. */
  close(): Promise<void>;
}

export interface StationClockOptions {
  /** The store of the clock. */
  store: ClockStore;
  /** Returns the host's present boot, and the time since. */
  boot(): Boot;
  /** The host's clock; epoch milliseconds. */
  wall?: () => number;
  /** A clock that nobody sets; milliseconds since any moment, as `performance.now()`. */
  steady?: () => number;
  /** Is told about failures whose details no client sees. */
  log: Log;
}

const writeEvery = 60_000;
/** Milliseconds that the two clocks may differ although none was set. */
const inexact = 1000;

/** Makes the clock. It goes on from the last time in the store if the host's clock was set back. */
export async function createStationClock({
  store,
  boot,
  wall = Date.now,
  steady = () => performance.now(),
  log,
}: StationClockOptions): Promise<StationClock> {
  const start = startTime(await store.read(), boot(), wall());
  const begun = steady();
  const monotonicNow = () => Math.floor(start + steady() - begun);
  const now = () => Math.max(monotonicNow(), wall());

  async function write(): Promise<void> {
    const { id, uptime } = boot();
    // Not the host's clock: if somebody sets it to a later year by mistake, it counts only until it is set right.
    await store.write({ time: monotonicNow(), boot: id, uptime });
  }

  const failed = (error: unknown) => log.error("the time could not be written down", { error });
  // On a full disk the station starts too.
  await write().catch(failed);
  const timer = setInterval(() => void write().catch(failed), writeEvery);
  timer.unref();
  return {
    now,
    shown: (time) => time - Math.max(monotonicNow() - wall(), 0),
    async close() {
      clearInterval(timer);
      await write().catch(failed);
    },
  };
}

/** After another boot only its own length is known to have passed. */
function startTime(mark: ClockMark | undefined, { id, uptime }: Boot, wall: number): number {
  if (!mark) return wall;
  const sameBoot = mark.boot === id && uptime >= mark.uptime;
  const counted = mark.time + (sameBoot ? uptime - mark.uptime : uptime);
  return counted > wall + inexact ? counted : wall;
}
