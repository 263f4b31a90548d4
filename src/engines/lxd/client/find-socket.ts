import { stat } from "node:fs/promises";

/** Where LXD (its package, its snap) and Incus listen, in the order in which they are looked for. */
const usualSockets = [
  "/var/lib/lxd/unix.socket",
  "/var/snap/lxd/common/lxd/unix.socket",
  "/var/lib/incus/unix.socket",
  "/run/incus/unix.socket",
];

/**
 * Returns the path of LXD's socket, which is there also while LXD is down; undefined when there is none. `folder`: the
 * only one to look in.
 */
export async function findLxdSocket(
  folder?: string,
  usual: readonly string[] = usualSockets,
): Promise<string | undefined> {
  for (const path of folder === undefined ? usual : [`${folder}/unix.socket`]) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isSocket()) return path;
  }
  return undefined;
}
