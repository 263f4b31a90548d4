import { readFile, type FileHandle } from "node:fs/promises";
import { runChild } from "../util/process/run-child.ts";
import { decodeMountPoint } from "../util/mount-point.ts";

/** One line of /proc/self/mountinfo (proc(5)). */
export interface MountEntry {
  /** Absolute path of the mount point, without escapes. */
  point: string;
  /** As `rw`, `nosuid`. */
  options: ReadonlySet<string>;
}

/** Neither setuid programs nor device nodes of a folder that is mounted so have any power. */
const powerless = "nosuid,nodev";

/** Returns the mounts of this process's namespace, in the order in which they were made. */
export async function readMounts(): Promise<MountEntry[]> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  return table
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [, , , , point = "", options = ""] = line.split(" ");
      return { point: decodeMountPoint(point), options: new Set(options.split(",")) };
    });
}

/**
 * Mounts an open folder at `target`, with nosuid and nodev. The kernel is given the descriptor, not a path, so it mounts
 * the very folder that was opened. `below`: with the mounts below the folder.
 *
 * mount(8) would resolve the path of the descriptor and open that again: `--no-canonicalize` forbids it.
 */
export async function mountFolder(folder: FileHandle, target: string, { below = false } = {}): Promise<void> {
  const how = below ? "--rbind" : "--bind";
  const argv = ["mount", "--no-canonicalize", how, "-o", powerless, "--", "/proc/self/fd/3", target] as const;
  await runChild(argv, { task: "shares", folder });
}

/** Mounts a new, empty file system in memory, of at most 16 MiB. `mode`: of its root, as 0711. */
export async function mountMemory(target: string, mode: string): Promise<void> {
  const options = `mode=${mode},size=16m,nosuid,nodev,noexec`;
  await runChild(["mount", "--no-canonicalize", "-t", "tmpfs", "-o", options, "--", "gantry", target], {
    task: "shares",
  });
}

/** Takes a mount away at once, also while it is in use. */
export async function unmount(target: string): Promise<void> {
  await runChild(["umount", "--no-canonicalize", "--lazy", "--", target], { task: "shares" });
}
