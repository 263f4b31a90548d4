import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { startStation, type TestStation } from "../test/support/station.ts";
import { whileDown } from "../test/support/station-data.ts";
import { median, timed } from "./load.ts";
import type { Report } from "./report.ts";
import { askSteadily, p99 } from "./steady.ts";

const count = 50_000;
/** Seconds in which the memory of a large answer must be back. */
const settling = 60;
const paths = ["/api/v1/container", "/api/v1/background/?limit=20", "/api/v1/system", "/healthz"];

/** The whole list of 50,000 tasks and its clearing, and what others feel of them. Loopback only. */
export async function benchLargeList(report: Report): Promise<void> {
  const station = await startStation();
  try {
    await whileDown(station, (db) => {
      db.exec(`
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
        INSERT INTO task (host, kind, lane, name, user, params, state, init, start, "end", result, progress)
        SELECT 'this', 'create', 'heavy', 'many-' || i, 'admin',
          '{"type":"docker","repository":"dockerhub","name":"many-' || i || '","image":"ubuntu","tag":"latest"}',
          'completed', unixepoch() * 1000, unixepoch() * 1000, unixepoch() * 1000, 0, 100 FROM n`);
    });
    await sleep(5000);
    const before = await askSteadily(station, { paths, until: sleep(5000) });
    report.line("others, undisturbed: p50", median(before), "ms");
    report.line("  p99", p99(before), "ms");
    await besideOthers(report, station, `the list of ${count} tasks`, () => read(station));
    report.line("  peak memory (VmHWM)", memory(station, "VmHWM"), "MB");
    await sleep(settling * 1000);
    report.line(`  memory ${settling} s later (VmRSS)`, memory(station, "VmRSS"), "MB", { atMost: 150 });
    await besideOthers(report, station, `clearing of ${count} tasks`, async () => {
      const cleared = await station.client.ok<number[]>("DELETE", "/background/");
      if (cleared.length !== count) throw new Error(`${cleared.length} were cleared`);
    });
    await sleep(settling * 1000);
    report.line(`  memory ${settling} s later (VmRSS)`, memory(station, "VmRSS"), "MB", { atMost: 150 });
  } finally {
    await station.close();
  }
}

async function besideOthers(
  report: Report,
  station: TestStation,
  what: string,
  work: () => Promise<unknown>,
): Promise<void> {
  let took = 0;
  const until = timed(work).then((time) => (took = time));
  const times = await askSteadily(station, { paths, until });
  report.line(what, took, "ms");
  report.line("  others meanwhile: p50", median(times), "ms");
  report.line("  p99", p99(times), "ms", { atMost: 50 });
}

/** Reads as any client would, without parsing: that is the client's own cost. */
async function read(station: TestStation): Promise<void> {
  const response = await fetch(`${station.url}/api/v1/background/`, { headers: { cookie: station.client.cookie() } });
  let size = 0;
  for await (const chunk of response.body ?? []) size += (chunk as Uint8Array).length;
  if (size < count * 200) throw new Error(`the list has ${size} bytes`);
}

function memory(station: TestStation, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${station.pid()}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}
