import { readlinkSync } from "node:fs";
import { readKernelFile } from "./kernel-file.ts";

/** Identifies a process. The number alone does not: the kernel gives it to another process later. */
export interface ProcessIdentity {
  /** Number of the process on this host. */
  pid: number;
  /** When the process started, in clock ticks since the boot: the 22nd field of `/proc/PID/stat`. */
  start: number;
}

/** Reads the start time of a process. Throws ENOENT or ESRCH if there is no such process. */
export function identify(pid: number): ProcessIdentity {
  return { pid, start: parseStart(readKernelFile(`/proc/${pid}/stat`)) };
}

/** Fields are counted after the program's name: it stands in brackets and may contain spaces and brackets. */
function parseStart(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
}

/**
 * Returns the network namespace of a process, such as `net:[4026531840]`, or undefined if this process may not read it.
 * Throws ENOENT if there is no such process.
 */
export function networkNamespace(pid: number | "self"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw error;
    return undefined;
  }
}
