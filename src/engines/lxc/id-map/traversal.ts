import { chmod, chown, readdir, stat } from "node:fs/promises";
import path from "node:path";

import type { IdRange } from "./id-range.ts";

const othersPass = 0o001;
const others = 0o007;

/**
 * Lets users of the host pass through LXC's folder, as LXC demands for a container with ids of its own. The folders of
 * the containers are closed first: in them lie files with the setuid bit that a container's root may have made, and which
 * belong to the host's root.
 */
export async function allowTraversal(lxcPath: string): Promise<void> {
  const { mode } = await stat(lxcPath);
  if (mode & othersPass) return;
  for (const entry of await readdir(lxcPath, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const home = path.join(lxcPath, entry.name);
    // One that was removed meanwhile needs nothing.
    const found = await stat(home).catch(() => undefined);
    if (found && found.mode & others) await chmod(home, found.mode & 0o7777 & ~others).catch(() => undefined);
  }
  await chmod(lxcPath, (mode & 0o7777) | othersPass);
}

/** Lets a container's root, and no other user of the host, pass through the folder that the container is in. */
export async function allowRootTraversal(home: string, { start }: IdRange): Promise<void> {
  await chown(home, 0, start);
  await chmod(home, 0o710);
}
