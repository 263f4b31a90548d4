import { stat } from "node:fs/promises";

/** Where LXD (its package, its snap) and Incus listen, in the order in which they are looked for. */
const usualSockets = [
  "/var/lib/lxd/unix.socket",
  "/var/snap/lxd/common/lxd/unix.socket",
  "/var/lib/incus/unix.socket",
  "/run/incus/unix.socket",
];

/** `undefined`: no LXD on this host. A socket is there also while its LXD is down. */
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
