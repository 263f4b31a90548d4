import { readFileSync } from "node:fs";

/** The present boot of the host. */
export interface Boot {
  /** A UUID that the kernel makes at each boot, from `/proc/sys/kernel/random/boot_id`. */
  id: string;
  /** Milliseconds since the boot, including time asleep. From `/proc/uptime`. */
  uptime: number;
}

/** Reads which boot of the host this is and when it began. Throws the system's error if `/proc` cannot be read. */
export function readBoot(): Boot {
  const id = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const [seconds] = readFileSync("/proc/uptime", "utf8").split(" ");
  return { id, uptime: Math.round(Number(seconds) * 1000) };
}
