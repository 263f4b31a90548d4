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
