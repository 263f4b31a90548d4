import type { EngineType } from "../../engines/engine.ts";
import { hasCode } from "../../errors.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { Kinds } from "../../tasks/handler.ts";
import { sleep } from "../../util/sleep.ts";

/** Milliseconds that a task waits for an engine that is away before it gives up. */
const patience = 10 * 60_000;
/** After so many calls that were cut off by an engine that answers all else, the task gives up. */
const mostCuts = 5;
/** After so many tries in that time, a task gives up an engine that goes away in the middle of the same call every time. */
const mostAbsences = 20;
/** Milliseconds before the second try; each later pause is twice as long. */
const firstPause = 500;

/** The failures of one task. */
interface Failures {
  since: number;
  last: number;
  count: number;
  /** Number of the last failures between which the engine answered all the time. */
  cuts: number;
  /** How often the engine had been away. */
  outages: number;
}

/**
 * Decides whether a task whose call got no whole answer tries the same step again. An engine that went away is waited for.
 * One that answers, but cuts this call, gets a handful of tries with growing pauses. Meanwhile the task has no place in its
 * lane.
 */
export function createRecovery(inventory: Inventory, pause = sleep): Kinds["recover"] {
  const failures = new WeakMap<AbortSignal, Failures>();

  function note(signal: AbortSignal, outages: number, away: boolean): Failures {
    const now = performance.now();
    const before = failures.get(signal);
    const known = before && now - before.last < patience / 2 ? before : { since: now, count: 0 };
    const cuts = away || before?.outages !== outages ? 0 : before.cuts;
    const noted = { since: known.since, count: known.count + 1, last: now, outages, cuts: cuts + 1 };
    failures.set(signal, noted);
    return noted;
  }

  return async (error, signal, waitOutsideLane) => {
    if (!hasCode(error, "engine_unavailable")) return false;
    const type = error.details?.["engine"] as EngineType;
    const view = inventory.view(type);
    if (!view) return false;
    const { since, count, cuts } = note(signal, view.outages(), !view.available());
    if (cuts >= mostCuts || (count > mostAbsences && performance.now() - since > patience)) return false;
    if (view.available()) {
      const reason = { detail: `${error.message} It is tried again.`, away: false, signal };
      await waitOutsideLane(reason, () => pause(pauseAfter(cuts), signal));
    }
    // What it does while this task waits for a place again, the next try finds out.
    let isBack = true;
    if (!view.available()) {
      const until = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
      await waitOutsideLane({ detail: `Waiting for ${type} to answer`, away: true, signal }, async () => {
        await view.whenAvailable(until);
        isBack = view.available();
      });
    }
    return isBack && !signal.aborted;
  };
}

/** Returns the milliseconds of a pause, which differ for tasks that failed together. */
function pauseAfter(cuts: number): number {
  return firstPause * 2 ** (cuts - 1) * (0.75 + Math.random() / 2);
}
