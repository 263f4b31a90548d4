import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestStation } from "../test/support/station.ts";

const perSecond = 200;

export interface Pace {
  paths: readonly string[];
  /** Asks until this resolves. */
  until: Promise<unknown>;
}

/** Asks at a steady pace, whether or not the last request is answered. Returns the milliseconds of each. */
export async function askSteadily(station: TestStation, { paths, until }: Pace): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const times: number[] = [];
  const pending: Promise<void>[] = [];
  let over = false;
  const end = until.finally(() => (over = true));
  end.catch(() => undefined);
  const begun = performance.now();
  for (let n = 0; !over; n++) {
    const due = begun + (1000 * n) / perSecond;
    const early = due - performance.now();
    if (early > 0) await sleep(early);
    const asked = ask(station, agent, paths[n % paths.length] ?? "");
    const one = asked.then(() => void times.push(performance.now() - due));
    // It is told of when all are over.
    one.catch(() => undefined);
    pending.push(one);
  }
  await Promise.all([...pending, end]);
  agent.destroy();
  return times;
}

export function p99(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN;
}

function ask(station: TestStation, agent: Agent, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request(`${station.url}${path}`, { agent, headers: { cookie: station.client.cookie() } }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode}`));
      response.resume().on("end", resolve);
    })
      .on("error", reject)
      .end();
  });
}
