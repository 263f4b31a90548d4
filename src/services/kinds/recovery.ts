import type { EngineType } from "../../engines/engine.ts";
import { hasCode } from "../../errors.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { Kinds } from "../../tasks/handler.ts";
import { sleep } from "../../util/sleep.ts";

/** How long a task waits for an engine that is away before it gives up. */
const patience = 10 * 60_000;
/** An engine that answers and cuts the same call every time is given up after so many tries in that time. */
const manyTries = 20;
/** Between two tries while the engine answers, but cuts our calls. */
const pause = 250;

/** An engine that went away comes back: the task waits for it and tries the same step again. */
export function createRecovery(inventory: Inventory): Kinds["recover"] {
  const tried = new WeakMap<AbortSignal, { since: number; last: number; count: number }>();

  /** Failures that come one soon after the other, for as long as the patience lasts. */
  function isHopeless(signal: AbortSignal): boolean {
    const now = performance.now();
    const before = tried.get(signal);
    const series = before && now - before.last < patience / 2 ? before : { since: now, last: now, count: 0 };
    tried.set(signal, { ...series, last: now, count: series.count + 1 });
    return series.count >= manyTries && now - series.since > patience;
  }

  return async (error, signal, waiting) => {
    if (!hasCode(error, "engine_unavailable") || isHopeless(signal)) return false;
    const type = error.details?.["engine"] as EngineType;
    const view = inventory.view(type);
    if (!view) return false;
    waiting(`Waiting for ${type} to answer`);
    await sleep(pause, signal);
    await view.whenAvailable(AbortSignal.any([signal, AbortSignal.timeout(patience)]));
    return view.available() && !signal.aborted;
  };
}
