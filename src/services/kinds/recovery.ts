import type { EngineType } from "../../engines/engine.ts";
import { hasCode } from "../../errors.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { Kinds } from "../../tasks/handler.ts";
import { sleep } from "../../util/sleep.ts";

/** How long a task waits for an engine that is away before it gives up. */
const patience = 10 * 60_000;
/** Between two tries while the engine answers, but cuts our calls. */
const pause = 250;

/** An engine that went away comes back: the task waits for it and tries the same step again. */
export function createRecovery(inventory: Inventory): Kinds["recover"] {
  return async (error, signal, waiting) => {
    if (!hasCode(error, "engine_unavailable")) return false;
    const type = error.details?.["engine"] as EngineType;
    const view = inventory.view(type);
    if (!view) return false;
    waiting(`Waiting for ${type} to answer`);
    await sleep(pause, signal);
    await view.whenAvailable(AbortSignal.any([signal, AbortSignal.timeout(patience)]));
    return view.available() && !signal.aborted;
  };
}
