import { readlinkSync } from "node:fs";
import { readKernelFile } from "./read-file.ts";

/** One life of a process: its number may be given to another one later, with another start. */
export interface Incarnation {
  pid: number;
  /** Clock ticks since the host's boot. */
  start: number;
}

/** Throws when there is no such process. */
export function incarnationOf(pid: number): Incarnation {
  return { pid, start: parseStart(readKernelFile(`/proc/${pid}/stat`)) };
}

/** The name of the program, in brackets, may hold anything. */
function parseStart(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
}

/** The network namespace of a process, as `net:[4026531840]`; undefined when this process may not know it. */
export function networkOf(pid: number | "self"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw error;
    return undefined;
  }
}
