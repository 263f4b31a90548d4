import { startStation, type TestStation } from "../test/support/station.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { bareTimes } from "./bare.ts";
import { median, postTasks, timed, type Load } from "./load.ts";
import type { Report } from "./report.ts";
import { threadTimes } from "./threads.ts";

const seconds = 10;
const manyTasks = ["--max-tasks", "10000000"];

/** Durable POSTs with the lanes held, and the list with many waiting. */
export async function benchHeld(report: Report): Promise<void> {
  const station = await startStation({ flags: ["--heavy", "0", "--quick", "0", ...manyTasks] });
  try {
    const load = await benchPosts(report, station, { kind: "create", what: "lanes held", atLeast: 20_000 });
    const bare = await bareTimes(5);
    report.line("  bare node:http with the same JSON", bare.perSecond, "per second");
    report.line("  its main thread", bare.main, "us");
    report.line("  ratio to it", load.requests / load.seconds / bare.perSecond, "");
    const times = [];
    for (let n = 0; n < 100; n++) times.push(await timed(() => station.client.ok("GET", "/background/?limit=100")));
    report.line(
      `list of 100 with ${load.requests > 10_000 ? "over 10,000" : load.requests} waiting, p50`,
      median(times),
      "ms",
      { atMost: 5 },
    );
  } finally {
    await station.close();
  }
}

/** Durable POSTs while the tasks are carried out, each with its calls to the real engine. */
export async function benchWorking(report: Report): Promise<void> {
  const station = await startStation({ flags: manyTasks });
  try {
    await benchPosts(report, station, { kind: "image_remove", what: "lanes at work", atLeast: 8_000 });
    const before = await ended(station.client);
    await sleep(2000);
    report.line(
      "tasks carried out (claim, step, engine, end)",
      ((await ended(station.client)) - before) / 2,
      "per second",
    );
  } finally {
    await station.close();
  }
}

interface Posts {
  kind: "create" | "image_remove";
  what: string;
  atLeast: number;
}

async function benchPosts(report: Report, station: TestStation, { kind, what, atLeast }: Posts): Promise<Load> {
  const target = { url: station.url, cookie: station.client.cookie() };
  await postTasks(target, kind, 2);
  const before = threadTimes(station.pid());
  const load = await postTasks(target, kind, seconds);
  const after = threadTimes(station.pid());
  report.line(`durable POST ${kind}, ${what}`, load.requests / load.seconds, "per second", { atLeast });
  report.line("  its p50", load.p50, "ms");
  report.line("  its p99", load.p99, "ms");
  report.line("  refused", load.refused, "", { atMost: 0 });
  for (const thread of ["main", "store", "other"] as const)
    report.line(`  processor time of each: ${thread}`, (after[thread] - before[thread]) / load.requests, "us");
  return load;
}

/** Ids are given in the order of the requests and quick tasks run in it, so the newest ended one counts them. */
async function ended(client: { ok: <T>(method: string, path: string) => Promise<T> }): Promise<number> {
  let [low, high] = [0, (await newest(client, undefined)).id];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((await newest(client, middle + 1)).end === undefined) high = middle - 1;
    else low = middle;
  }
  return low;
}

async function newest(
  client: { ok: <T>(method: string, path: string) => Promise<T> },
  before: number | undefined,
): Promise<{ id: number; end?: number }> {
  const query = before === undefined ? "" : `&before=${before}`;
  const [task] = await client.ok<{ id: number; end?: number }[]>("GET", `/background/?limit=1${query}`);
  return task ?? { id: 0, end: 0 };
}
