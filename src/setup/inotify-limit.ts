import { readFileSync, writeFileSync } from "node:fs";

/** As many as the snap of LXD sets. The kernel's own limit is 128, for all processes of one user. */
const wanted = 1024;

/**
 * Raises the number of inotify instances that root's processes may have, where it is smaller (inotify(7)). Those of all
 * containers count as root's. When none is left the DHCP servers of LXC's and LXD's bridges do not start.
 */
export function raiseInotifyLimit(log: (line: string) => void, file = "/proc/sys/fs/inotify/max_user_instances"): void {
  try {
    const limit = Number(readFileSync(file, "utf8"));
    if (limit >= wanted) return;
    writeFileSync(file, `${wanted}\n`);
    log(`Raised fs.inotify.max_user_instances from ${limit} to ${wanted}: each system container needs some.`);
  } catch (error) {
    log(`fs.inotify.max_user_instances cannot be raised: ${error instanceof Error ? error.message : ""}`);
  }
}
