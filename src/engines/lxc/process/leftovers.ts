import { readdir, readFile, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { killProcess } from "./init-process.ts";
import { loopDevice } from "../files/loop-device.ts";
import type { RootLocation } from "../rootfs/root-location.ts";

/**
 * Kills the first processes whose root is the container's root file system, and returns how many there were when they
 * are gone. Only for a container that LXC does not run: LXC's own process of a container may be killed, and mostly
 * takes the container along; what it has left behind (a frozen one) LXC does not know of.
 */
export async function killLeftovers(place: RootLocation | undefined): Promise<number> {
  const root = place && (await rootIdentity(place));
  if (root === undefined) return 0;
  let killed = 0;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const lives = async (): Promise<boolean> => (await identity(`/proc/${pid}/root`)) === root;
    if (!(await lives()) || !(await isFirst(pid))) continue;
    killed++;
    await killProcess(Number(pid));
    const deadline = performance.now() + patience;
    while ((await lives()) && performance.now() < deadline) await delay(pause);
  }
  return killed;
}

const pause = 5;
/** A process in uninterruptible sleep does not die. */
const patience = 5_000;

/** Returns device and inode of a root file system; undefined when there is none, or it is not mounted. */
async function rootIdentity({ kind, path }: RootLocation): Promise<string | undefined> {
  if (kind === "folder") return identity(path);
  const device = await loopDevice(path, "lxc");
  const found = device === undefined ? undefined : await stat(device, { bigint: true }).catch(() => undefined);
  return found && `${found.rdev}:${ext4Root}`;
}

/** The kernel's inode of an ext4's first folder. */
const ext4Root = 2;

/** Returns device and inode of a folder; undefined when there is nothing. */
async function identity(folder: string): Promise<string | undefined> {
  const found = await stat(folder, { bigint: true }).catch(() => undefined);
  return found && `${found.dev}:${found.ino}`;
}

/** Returns whether a process is the first one of a process namespace. */
async function isFirst(pid: string): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return /^NSpid:(?:\t\d+)+\t1$/m.test(status);
}
