import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds. Only what never comes takes so long, also on a busy machine. */
const patience = 60_000;

/** Tries a check again until it passes: addresses come by DHCP, networks after a start. Throws what failed last. */
export async function patiently(what: string, check: () => Promise<void>): Promise<void> {
  const end = Date.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
    }
    await sleep(100);
  }
}

/** Waits for what is to become so. `facts`: what to show when it does not become true. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  facts?: () => Promise<unknown>,
): Promise<void> {
  const end = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > end) assert.fail(`not within ${patience} ms: ${JSON.stringify(await facts?.())}`);
    await sleep(50);
  }
}
