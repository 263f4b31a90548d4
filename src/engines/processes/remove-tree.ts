import { readFile } from "node:fs/promises";

import { decodeMountPoint } from "../../util/mount-point.ts";
import { runChild, type ChildOptions } from "../../util/process/run-child.ts";

/**
 * Deletes a folder of the station's own with all that is in it, and nothing beyond: what is mounted below is unmounted
 * first, and what is mounted there meanwhile is not entered. Not stopped by a signal: half of a tree is of no use.
 */
export async function removeTree(folder: string, { task }: Pick<ChildOptions, "task">): Promise<void> {
  for (const point of (await mountsBelow(folder)).toReversed()) await runChild(["umount", "-l", "--", point], { task });
  await runChild(["rm", "-rf", "--one-file-system", "--", folder], { task });
}

/** Returns the mount points in a folder, in the order in which they were mounted. */
async function mountsBelow(folder: string): Promise<string[]> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  const points = table.split("\n").map((line) => decodeMountPoint(line.split(" ")[4] ?? ""));
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`));
}
