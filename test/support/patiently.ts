import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

/** Tries a check again until it passes: addresses come by DHCP, networks after a start. Throws what failed last. */
export async function patiently(what: string, check: () => Promise<void>): Promise<void> {
  const end = Date.now() + 20_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
    }
    await sleep(100);
  }
}

/** Waits for what is to become so within 20 s. `facts`: what to show when it does not become true. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  facts?: () => Promise<unknown>,
): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > end) assert.fail(`not within 20 s: ${JSON.stringify(await facts?.())}`);
    await sleep(50);
  }
}
