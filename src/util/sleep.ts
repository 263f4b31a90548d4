import { setTimeout as delay } from "node:timers/promises";

/** Ends early, without an error, when the signal aborts; never keeps the process alive. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
