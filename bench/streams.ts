import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestStation } from "../test/support/station.ts";
import { median } from "./load.ts";
import type { Report } from "./report.ts";
import { askSteadily, p99 } from "./steady.ts";

const clients = 5000;
const seconds = 15;

/** Many streams that are open and quiet, while others ask for the list. Loopback only, bounded in time. */
export async function benchStreams(report: Report, station: TestStation): Promise<void> {
  const sockets: Socket[] = [];
  try {
    while (sockets.length < clients) {
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => openQuietly(station)))));
    }
    const paths = ["/api/v1/container", "/api/v1/container/many-1", "/api/v1/background/?limit=20", "/api/v1/event"];
    const times = await askSteadily(station, { paths, until: sleep(seconds * 1000) });
    const status = readFileSync(`/proc/${station.pid()}/status`, "utf8");
    report.line(`${clients} quiet streams, 200 requests/s: p50`, median(times), "ms");
    report.line("  p99", p99(times), "ms", { atMost: 500 });
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
