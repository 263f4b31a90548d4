import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dockerApi, removeContainers } from "../test/support/docker-cli.ts";
import { startStation, type StationOptions } from "../test/support/station.ts";
import { viaStation } from "./create.ts";
import { median, postTasks, timed } from "./load.ts";
import { residentMegabytes } from "./process.ts";
import type { Report } from "./report.ts";

const rounds = 7;
const listed = 20;
const versions = ["before", "now"] as const;
const figures = ["posts", "tasks", "containers", "create", "memory"] as const;
type Figures = Record<(typeof figures)[number], number>;

/**
 * This version beside another one, in turn, in one run. The variable GANTRY_BENCH_BEFORE names the checkout of the other
 * one, whose dependencies are installed. The ratios are medians of those of each round.
 */
export async function benchVersions(report: Report): Promise<void> {
  const checkout = process.env["GANTRY_BENCH_BEFORE"];
  if (!checkout) throw new Error("GANTRY_BENCH_BEFORE must name a checkout of the version to compare with");
  const commands = { before: commandOf(checkout), now: commandOf(join(import.meta.dirname, "..")) };
  const measured: Record<(typeof versions)[number], Figures[]> = { before: [], now: [] };
  try {
    for (let n = 0; n < listed; n++) await runContainer(`bench-listed-${n}`);
    for (let round = 0; round < rounds; round++) {
      // Who comes first changes, so that what one leaves behind counts for both.
      const order = round % 2 === 0 ? versions : versions.toReversed();
      for (const version of order)
        measured[version].push(await measure({ command: commands[version] }, `bench-${version}-${round}`));
    }
  } finally {
    await removeContainers("bench-");
  }
  const ratio = (figure: keyof Figures) =>
    median(measured.now.map((now, n) => now[figure] / (measured.before[n]?.[figure] ?? Number.NaN)));
  for (const version of versions)
    for (const figure of figures)
      report.line(`${version}: ${figure}`, median(measured[version].map((one) => one[figure])), units[figure]);
  report.line("durable POSTs, ratio to before", ratio("posts"), "", { atLeast: 0.95 });
  report.line("list of 100 tasks, ratio", ratio("tasks"), "", { atMost: 1.05 });
  report.line(`list of ${listed} containers, ratio`, ratio("containers"), "", { atMost: 1.05 });
  report.line("create to running, ratio", ratio("create"), "", { atMost: 1.05 });
  report.line("memory at rest, ratio", ratio("memory"), "", { atMost: 1 });
}

const units: Record<keyof Figures, string> = {
  posts: "per second",
  tasks: "ms",
  containers: "ms",
  create: "ms",
  memory: "MB",
};

/** A version that has `station.sh` runs from its bundle, an older one from its source. */
function commandOf(checkout: string): string[] {
  const script = join(checkout, "scripts/station.sh");
  return existsSync(script) ? ["sh", script] : ["sh", join(checkout, "scripts/node.sh"), join(checkout, "src/main.ts")];
}

async function measure(version: StationOptions, name: string): Promise<Figures> {
  const atWork = await startStation(version);
  const creates: number[] = [];
  let memory = 0;
  try {
    await sleep(5000);
    memory = residentMegabytes(atWork.pid());
    for (let n = 0; n < 6; n++) creates.push(await viaStation(atWork, `${name}-${n}`));
    await removeContainers(name);
  } finally {
    await atWork.close();
  }
  const flags = ["--heavy", "0", "--quick", "0", "--max-tasks", "10000000"];
  const held = await startStation({ ...version, flags });
  try {
    const target = { url: held.url, cookie: held.client.cookie() };
    await postTasks(target, "create", 2);
    const { requests, seconds } = await postTasks(target, "create", 5);
    const tasks = await medianOf(() => held.client.ok("GET", "/background/?limit=100"));
    const containers = await medianOf(() => held.client.ok("GET", "/container"));
    return { posts: requests / seconds, tasks, containers, create: median(creates.slice(1)), memory };
  } finally {
    await held.close();
  }
}

async function medianOf(work: () => Promise<unknown>): Promise<number> {
  for (let n = 0; n < 50; n++) await work();
  const times = [];
  for (let n = 0; n < 200; n++) times.push(await timed(work));
  return median(times);
}

async function runContainer(name: string): Promise<void> {
  const body = { Image: "ubuntu:latest", Tty: true, OpenStdin: true };
  const { Id } = await dockerApi<{ Id: string }>("POST", `/containers/create?name=${name}`, body);
  await dockerApi("POST", `/containers/${Id}/start`);
}
