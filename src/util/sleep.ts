import { setTimeout as delay } from "node:timers/promises";

/** Waits. Resolves early, without an error, when the signal aborts. Does not keep the process alive. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
