import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { startStation } from "../test/support/station.ts";
import { median, timed } from "./load.ts";
import type { Report } from "./report.ts";

/** Process start to the ready line, and memory at rest. */
export async function benchProcess(report: Report): Promise<void> {
  const station = await startStation();
  try {
    const starts = [];
    for (let n = 0; n < 10; n++) {
      await station.stop();
      starts.push(await timed(() => station.start()));
    }
    report.line("process start to ready, median of 10", median(starts), "ms", { atMost: 1000 });
    await sleep(5000);
    report.line("memory at rest (VmRSS)", residentMegabytes(station.pid()), "MB", { atMost: 100 });
  } finally {
    await station.close();
  }
}

/** Returns the memory of a process, in MiB: VmRSS of /proc/PID/status. */
export function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}
