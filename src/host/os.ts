import { hostname } from "node:os";
import { exists } from "../util/exists.ts";
import { readFields, listKernelFolder, readKernelText } from "./kernel-files.ts";

export interface OperatingSystem {
  /** The host's name as gethostname(2) returns it. */
  hostname: string;
  /** Field ID of os-release(5), such as `debian`. */
  id: string;
  /** Field VERSION_ID of os-release(5), such as `12`; "" for a rolling release. */
  version: string;
  /** Release of the kernel, such as `6.1.0-18-amd64`. */
  kernel: string;
  /** True if an update needs a restart of the host: `/run/reboot-required` exists. */
  restartRequired: boolean;
  /** True if the kernel has overlayfs. */
  overlay: boolean;
  /** True if an ext4 file system of this host has recorded errors. */
  uncleanFileSystem: boolean;
}

/** Reads what the distribution and the kernel say about themselves. */
export async function readOs(): Promise<OperatingSystem> {
  const release = readFields(
    (await readKernelText("/etc/os-release")) || (await readKernelText("/usr/lib/os-release")),
  );
  return {
    hostname: hostname(),
    id: release.get("ID") ?? "linux",
    version: release.get("VERSION_ID") ?? "",
    kernel: await readKernelText("/proc/sys/kernel/osrelease"),
    restartRequired: await exists("/run/reboot-required"),
    overlay: /\toverlay$/m.test(`\t${await readKernelText("/proc/filesystems")}`),
    uncleanFileSystem: await hasFileSystemErrors(),
  };
}

/** Reads ext4's error counters. Other file systems keep none: on an error they turn read-only, which ends the station. */
async function hasFileSystemErrors(): Promise<boolean> {
  for (const device of await listKernelFolder("/sys/fs/ext4")) {
    if (Number(await readKernelText(`/sys/fs/ext4/${device}/errors_count`)) > 0) return true;
  }
  return false;
}
