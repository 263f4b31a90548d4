import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestStation } from "../test/support/station.ts";
import { median } from "./load.ts";
import type { Report } from "./report.ts";

const clients = 5000;
const perSecond = 200;
const seconds = 15;

/** Many streams that are open and quiet, while others ask for the list. Loopback only, bounded in time. */
export async function benchStreams(report: Report, station: TestStation): Promise<void> {
  const sockets: Socket[] = [];
  try {
    while (sockets.length < clients) {
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => openQuietly(station)))));
    }
    const paths = ["/api/v1/container", "/api/v1/container/many-1", "/api/v1/background/?limit=20", "/api/v1/event"];
    const times = await askSteadily(station, paths);
    const p99 = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN;
    const status = readFileSync(`/proc/${station.pid()}/status`, "utf8");
    report.line(`${clients} quiet streams, ${perSecond} requests/s: p50`, median(times), "ms");
    report.line("  p99", p99, "ms", { atMost: 500 });
    report.line("  peak memory (VmHWM)", Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024, "MB", { atMost: 512 });
    report.line("  streams that were closed", sockets.filter((socket) => socket.destroyed).length, "", { atMost: 0 });
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

async function openQuietly(station: TestStation): Promise<Socket> {
  const { hostname, port } = new URL(station.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => socket.destroy());
  const head = `GET /api/v1/event/stream HTTP/1.1\r\nHost: ${hostname}\r\nCookie: ${station.client.cookie()}\r\n\r\n`;
  socket.write(head);
  const [first] = (await once(socket, "data")) as [Buffer];
  if (!first.toString().startsWith("HTTP/1.1 200")) throw new Error(`a stream is refused: ${first.toString()}`);
  return socket.resume();
}

/** At a steady pace, whether or not the last one is answered. Milliseconds of each. */
async function askSteadily(station: TestStation, paths: readonly string[]): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const times: number[] = [];
  const pending: Promise<void>[] = [];
  const begun = performance.now();
  for (let n = 0; n < perSecond * seconds; n++) {
    const due = begun + (1000 * n) / perSecond;
    if (due > performance.now()) await sleep(due - performance.now());
    pending.push(
      ask(station, agent, paths[n % paths.length] ?? "").then(() => void times.push(performance.now() - due)),
    );
  }
  await Promise.all(pending);
  agent.destroy();
  return times;
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
