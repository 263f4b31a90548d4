import { readFile } from "node:fs/promises";

import type { Layout } from "./layout.ts";

/** The kernel's flag of a socket that listens. */
const listens = "00010000";

/**
 * Which containers LXC runs, without asking it: each has a process that listens on the abstract socket
 * `@PATH/NAME/command`. The socket's inode is new at each start, so name and inode are the incarnation.
 */
export async function runningContainers(folder: string): Promise<Map<string, string>> {
  const table = await readFile("/proc/net/unix", "utf8");
  const found = new Map<string, string>();
  const begin = ` @${folder}/`;
  for (const line of table.split("\n")) {
    const at = line.indexOf(begin);
    if (at < 0 || !line.endsWith("/command")) continue;
    const [, , , flags, , , inode] = line.split(/\s+/);
    const name = line.slice(at + begin.length, -"/command".length);
    if (flags === listens && inode && !name.includes("/")) found.set(name, inode);
  }
  return found;
}

/** Of a longer name LXC takes a hash, and the container could not be told from others. */
export function isSocketName(layout: Layout, name: string): boolean {
  return Buffer.byteLength(`${layout.home(name)}/command`) <= 104;
}
