import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../support/daemon.ts";

/** Numbers of one moment. */
export interface Sample {
  cpu?: number;
  memory?: number;
  rx?: number;
  tx?: number;
}

export async function eventually(condition: () => Promise<boolean>, patience = 15_000): Promise<void> {
  assert.ok(await until(condition, patience), `not within ${patience} ms: ${condition.toString()}`);
}

/** Asks twice a second for so long. */
export async function over<T>(ms: number, ask: () => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (const end = performance.now() + ms; performance.now() < end; await sleep(500)) answers.push(await ask());
  return answers;
}

/** What an engine has counted until now. */
export interface Counted {
  /** Monotonic, milliseconds. */
  at: number;
  /** Nanoseconds. */
  cpu: number;
  /** Bytes. */
  memory: number;
  rx: number;
  tx: number;
}

type Four = Record<"cpu" | "memory" | "rx" | "tx", number>;

/** An engine's own numbers, and the station's over the same time; each of those is of the second before it. */
export async function compare(
  count: () => Promise<Counted>,
  shown: () => Promise<Sample>,
): Promise<{ engine: Four; station: Four }> {
  const first = await count();
  await sleep(1000);
  const [samples, last] = await Promise.all([over(8000, shown), sleep(6000).then(count)]);
  const rate = (key: "cpu" | "rx" | "tx") => (last[key] - first[key]) / ((last.at - first.at) / 1000);
  const engine = { cpu: rate("cpu") / 1e9, memory: last.memory, rx: rate("rx"), tx: rate("tx") };
  return { engine, station: average(samples) };
}

function average(samples: readonly Sample[]): Four {
  const mean = (key: keyof Sample) => samples.reduce((sum, one) => sum + (one[key] ?? Number.NaN), 0) / samples.length;
  return { cpu: mean("cpu"), memory: samples.at(-1)?.memory ?? Number.NaN, rx: mean("rx"), tx: mean("tx") };
}

/** Within 5 %, or so much of the expected. */
export function close(actual = Number.NaN, expected = Number.NaN, what: string, within = 0.05): void {
  console.log(`${what}: station ${actual}, engine ${expected} (${((100 * actual) / expected - 100).toFixed(1)} %)`);
  assert.ok(Math.abs(actual - expected) <= within * expected, `${what}: ${actual}, and the engine counts ${expected}`);
}
