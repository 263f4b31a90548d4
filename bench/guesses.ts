import { guess } from "../test/attacks/guesser.ts";
import { openWorld } from "../test/attacks/sender.ts";
import type { Report } from "./report.ts";

/** Somebody guesses a password as fast as he can: what all others wait meanwhile. */
export async function benchGuesses(report: Report): Promise<void> {
  const world = await openWorld();
  try {
    await world.user("guessed", "viewer");
    const { statuses, others } = await guess(world, "guessed", 2000);
    const p99 = others.toSorted((a, b) => a - b)[Math.floor(others.length * 0.99)] ?? Number.NaN;
    report.line("2,000 guesses of a password: that reach the hash", statuses.get(401) ?? 0, "", { atMost: 10 });
    report.line("  requests of others meanwhile, p99", p99, "ms", { atMost: 200 });
  } finally {
    await world.station.close();
  }
}
