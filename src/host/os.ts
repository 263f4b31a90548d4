import { hostname } from "node:os";
import { exists } from "../util/exists.ts";
import { readFields, readNames, readText } from "./files.ts";

export interface OperatingSystem {
  hostname: string;
  /** As debian. */
  id: string;
  /** As 12; "" for a rolling release. */
  version: string;
  /** As 6.1.0-18-amd64. */
  kernel: string;
  /** An update waits for a restart of the host. */
  restartWanted: boolean;
  /** The kernel knows overlayfs. */
  overlay: boolean;
  /** A file system of this host has met errors. */
  uncleanFileSystem: boolean;
}

export async function readOs(): Promise<OperatingSystem> {
  const release = readFields((await readText("/etc/os-release")) || (await readText("/usr/lib/os-release")));
  return {
    hostname: hostname(),
    id: release.get("ID") ?? "linux",
    version: release.get("VERSION_ID") ?? "",
    kernel: await readText("/proc/sys/kernel/osrelease"),
    restartWanted: await exists("/run/reboot-required"),
    overlay: /\toverlay$/m.test(`\t${await readText("/proc/filesystems")}`),
    uncleanFileSystem: await hasErrors(),
  };
}

/** ext4 counts them; other file systems go read-only at once and stop the station by it. */
async function hasErrors(): Promise<boolean> {
  for (const device of await readNames("/sys/fs/ext4")) {
    if (Number(await readText(`/sys/fs/ext4/${device}/errors_count`)) > 0) return true;
  }
  return false;
}
