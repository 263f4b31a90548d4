import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

export interface Load {
  requests: number;
  seconds: number;
  refused: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

export interface LoadTarget {
  url: string;
  cookie: string;
}

/** 50 clients that post tasks for some seconds, each when its last was answered. Loopback only, bounded in time. */
export async function postTasks(
  { url, cookie }: LoadTarget,
  kind: "create" | "image_remove",
  seconds: number,
): Promise<Load> {
  const script = join(import.meta.dirname, "post.lua");
  const args = ["-t1", "-c50", `-d${seconds}s`, "-s", script, url, "--", cookie, kind, `${Date.now()}`];
  const { stdout } = await promisify(execFile)("wrk", args);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Load;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
