import { readFileSync } from "node:fs";

/** Which boot of the host this is, and how long ago it began, sleep included. */
export interface Boot {
  id: string;
  /** Milliseconds. */
  uptime: number;
}

export function readBoot(): Boot {
  const id = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const [seconds] = readFileSync("/proc/uptime", "utf8").split(" ");
  return { id, uptime: Math.round(Number(seconds) * 1000) };
}
