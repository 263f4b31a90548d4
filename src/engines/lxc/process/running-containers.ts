import { readFileSync } from "node:fs";

import type { Layout } from "../files/layout.ts";

/** The kernel's flag of a socket that listens. */
const listens = "00010000";

/**
 * Returns the containers that LXC runs, by name, each with the inode of its command socket, which is new at each start.
 * LXC is not asked: each container has a process that listens on the abstract socket `@PATH/NAME/command`, which is
 * listed in /proc/net/unix.
 */
export async function runningContainers(folder: string): Promise<Map<string, string>> {
  // It is looked at twice a second, comes from memory, and would cost several times as much through other threads.
  const table = readFileSync("/proc/net/unix", "latin1");
  const found = new Map<string, string>();
  const begin = Buffer.from(` @${folder}/`).toString("latin1");
  for (let at = table.indexOf(begin); at !== -1; at = table.indexOf(begin, at + 1)) {
    const end = table.indexOf("\n", at);
    const line = table.slice(table.lastIndexOf("\n", at) + 1, end === -1 ? undefined : end);
    if (!line.endsWith("/command")) continue;
    const [, , , flags, , , inode] = line.split(/\s+/);
    const name = line.slice(line.indexOf(begin) + begin.length, -"/command".length);
    if (flags === listens && inode && !name.includes("/")) found.set(Buffer.from(name, "latin1").toString(), inode);
  }
  return found;
}

/**
 * Returns whether the name of the command socket holds a container's whole name. Of a longer one LXC takes a hash, and
 * the container could not be told from others.
 */
export function isSocketName(layout: Layout, name: string): boolean {
  return Buffer.byteLength(`${layout.home(name)}/command`) <= 104;
}
