import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

import { AppError, invalid } from "../../errors.ts";
import { containerControlGroups } from "../processes/control-groups.ts";

/** A running container's memory, in its control group; of either version. */

/** Throws `invalid`, field `memory`, when what is in use and cannot be given back is more. */
export async function checkMemory(pid: number, memory: number): Promise<void> {
  const inUse = await heldMemory(pid).catch((error: unknown) => {
    // It ends while it is looked at.
    if (existsSync(`/proc/${pid}`)) throw error;
    return 0;
  });
  if (inUse > memory) throw tooLittle(`${inUse} bytes are in use`);
}

/**
 * Returns the bytes that a container cannot give back: pages of files can be read again, those of a file system in
 * memory cannot. See memory.stat in Documentation/admin-guide/cgroup-v2.rst.
 */
async function heldMemory(pid: number): Promise<number> {
  const { folder, unified } = await groupOf(pid, "memory");
  const [usage, stat] = await Promise.all(
    [unified ? "memory.current" : "memory.usage_in_bytes", "memory.stat"].map((file) =>
      readFile(`${folder}/${file}`, "utf8"),
    ),
  );
  const count = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(stat ?? "")?.[1] ?? 0);
  const prefix = unified ? "" : "total_";
  return Number(usage) - count(`${prefix}active_file`) - count(`${prefix}inactive_file`);
}

/**
 * Returns the folder of a container's control group for a controller. `unified`: it is of version 2. Throws
 * `engine_failed`.
 */
export async function groupOf(pid: number, controller: string): Promise<{ folder: string; unified: boolean }> {
  const groups = await containerControlGroups(pid);
  const own = groups.find(({ controllers }) => controllers.includes(controller));
  if (own) return { folder: `/sys/fs/cgroup/${controller}${own.group}`, unified: false };
  const unified = groups.find(({ controllers }) => controllers.length === 0);
  if (unified) return { folder: `/sys/fs/cgroup${unified.group}`, unified: true };
  throw new AppError("engine_failed", "This host's kernel has no control group for the container.");
}

/** Returns the `invalid`, field `memory`, for a limit below what is in use. */
export function tooLittle(reason: string): AppError {
  return invalid("memory", `is below what the container uses: ${reason}.`);
}
