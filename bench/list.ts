import { execFile } from "node:child_process";
import { Agent, request } from "node:http";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { ContainerInfo } from "../src/api/container-info.ts";
import { dockerApi } from "../test/support/docker-cli.ts";
import { testEngines } from "../test/support/engines.ts";
import { startSystemWorld, type SystemWorld } from "../test/support/system-station.ts";
import { openStream } from "../test/station/streams.ts";
import { median, timed } from "./load.ts";
import { containers, populate, population } from "./population.ts";
import type { Report } from "./report.ts";
import { benchStreams } from "./streams.ts";

/** Requests one after the other, as from one client; then the next one's turn. */
const blockSize = 25;
const blocks = 12;
const warmUp = 1000;
const idleSeconds = 60;

/** The list with numbers, its cost, and events, with all three engines well filled. */
export async function benchList(report: Report): Promise<void> {
  const world = await startSystemWorld({ flags: ["--max-streams", "6000"] });
  try {
    await populate(world);
    const list = await world.station.client.ok<ContainerInfo[]>("GET", "/container");
    if (list.length !== containers) throw new Error(`the list has ${list.length} containers, not ${containers}`);
    await benchAnswers(report, world);
    await benchEvents(report, world);
    await benchStreams(report, world.station);
    await benchIdle(report, world);
  } finally {
    await world.station.close();
  }
}

async function benchAnswers(report: Report, { station, lxc, lxd }: SystemWorld): Promise<void> {
  const own = { agent: new Agent({ keepAlive: true }), headers: { cookie: station.client.cookie() } };
  const { hostname: host, port } = new URL(station.url);
  const viaStation = () => get({ ...own, host, port, path: "/api/v1/container" });
  const raw = { agent: new Agent({ keepAlive: true }), socketPath: testEngines().dockerSocket };
  const viaDocker = (query: string) => get({ ...raw, path: `/containers/json${query}` });
  const times = { station: [] as number[], all: [] as number[], running: [] as number[] };
  // A process that has just begun compiles its code as it goes.
  for (let n = 0; n < warmUp; n++) await viaStation();
  for (let n = 0; n < blocks; n++) {
    times.station.push(await medianOf(viaStation));
    times.all.push(await medianOf(() => viaDocker("?all=1")));
    times.running.push(await medianOf(() => viaDocker("")));
  }
  const ratioTo = (raw: readonly number[]) => median(times.station.map((time, n) => time / (raw[n] ?? Number.NaN)));
  report.line(`list of ${containers} with numbers, p50`, median(times.station), "ms");
  report.line(`raw GET /containers/json?all=1 (${population.docker}), p50`, median(times.all), "ms");
  report.line(`raw GET /containers/json (${population.dockerRunning} running), p50`, median(times.running), "ms");
  report.line("  ratio of the list to the raw one", ratioTo(times.running), "", { atMost: 0.25 });
  report.line("  ratio to the raw one of all", ratioTo(times.all), "");

  const ids = (await dockerApi<{ Id: string }[]>("GET", "/containers/json")).map(({ Id }) => Id);
  const stats = (id: string) =>
    get({ ...raw, agent: new Agent(), path: `/containers/${id}/stats?stream=false&one-shot=true` });
  const docker = await timed(() => Promise.all(ids.map(stats)));
  const info = (n: number) => promisify(execFile)("lxc-info", ["-P", lxc.path, "-n", `many-${n}`, "-S", "-H"]);
  const viaLxc = await timed(async () => {
    for (let n = 0; n < population.lxc; n++) await info(n);
  });
  const viaLxd = await timed(() => lxd.get("/1.0/instances?recursion=2"));
  report.line("docker stats of all that run, in parallel", docker, "ms");
  report.line("lxc-info of all", viaLxc, "ms");
  report.line("lxc info of all, in one request", viaLxd, "ms");
  const longer = (docker + viaLxc + viaLxd) / median(times.station);
  report.line("  the engines' own numbers take so many times longer", longer, "", { atLeast: 100 });
}

async function medianOf(act: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < blockSize; n++) times.push(await timed(act));
  return median(times);
}

function get(options: object): Promise<string> {
  return new Promise((resolve, reject) => {
    request(options, (response) => void text(response).then(resolve, reject))
      .on("error", reject)
      .end();
  });
}

/** From Docker's own stream of events to a client of the station's. */
async function benchEvents(report: Report, { station }: SystemWorld): Promise<void> {
  const stream = await openStream(station.url, station.client.cookie());
  const seen: { raw: number[]; station: number[] } = { raw: [], station: [] };
  const filters = encodeURIComponent(JSON.stringify({ event: ["pause", "unpause"] }));
  const raw = request({ socketPath: testEngines().dockerSocket, path: `/events?filters=${filters}` }, (response) => {
    response.on("data", () => seen.raw.push(performance.now()));
    response.on("error", () => undefined);
  });
  raw.on("error", () => undefined).end();
  await sleep(500);
  for (let n = 0; n < 100; n++) {
    const before = stream.items.length;
    await dockerApi("POST", `/containers/many-1/${n % 2 === 0 ? "pause" : "unpause"}`);
    await stream.until((items) => items.length > before);
  }
  raw.destroy();
  stream.close();
  const delays = stream.times.slice(0, seen.raw.length).map((time, n) => time - (seen.raw[n] ?? Number.NaN));
  report.line("engine event to stream client, p50", median(delays), "ms", { atMost: 5 });
  report.line("  its p99", delays.toSorted((a, b) => a - b)[Math.floor(delays.length * 0.99)] ?? Number.NaN, "ms");
}

/** Nobody looks, and nothing happens. */
async function benchIdle(report: Report, { station }: SystemWorld): Promise<void> {
  await sleep(15_000);
  const before = cpuSeconds(station.pid());
  await sleep(idleSeconds * 1000);
  const share = (cpuSeconds(station.pid()) - before) / idleSeconds;
  report.line(`idle cost over ${idleSeconds} s`, share * 100, "% of a core", { atMost: 1 });
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
