import { startStation } from "../test/support/station.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { median, postTasks, timed } from "./load.ts";
import type { Report } from "./report.ts";

const seconds = 10;
const manyTasks = ["--max-tasks", "10000000"];

/** Durable POSTs with the lanes held, and the list with many waiting. */
export async function benchHeld(report: Report): Promise<void> {
  const station = await startStation({ flags: ["--heavy", "0", "--quick", "0", ...manyTasks] });
  try {
    await postTasks(station, "create", 2);
    const load = await postTasks(station, "create", seconds);
    report.line("durable POST create, lanes held", load.requests / load.seconds, "per second", { atLeast: 20_000 });
    report.line("  its p99", load.p99, "ms");
    report.line("  refused", load.refused, "", { atMost: 0 });
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
    await postTasks(station, "image_remove", 2);
    const load = await postTasks(station, "image_remove", seconds);
    report.line("durable POST image_remove, lanes at work", load.requests / load.seconds, "per second", {
      atLeast: 8_000,
    });
    report.line("  its p99", load.p99, "ms");
    report.line("  refused", load.refused, "", { atMost: 0 });
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
