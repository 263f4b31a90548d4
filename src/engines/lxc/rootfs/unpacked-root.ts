import { lchown, lstat, mkdir, readlink, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { AppError } from "../../../errors.ts";
import { runChild } from "../../../util/process/run-child.ts";
import { codeOf } from "../failures.ts";

/**
 * Work in a root file system that just was unpacked. Its links are the image's and may lead to anywhere on the host, so
 * they are read as if the root were its own: no path leaves it. Nothing of it runs yet, so nothing changes meanwhile.
 */

const maxLinks = 40;

/**
 * Returns a path without links and dots, from the container's root; parts that are not there are left as they are.
 * Returns undefined when its links go in a circle.
 */
export async function resolveInside(root: string, wanted: string): Promise<string | undefined> {
  const parts = wanted.split("/").toReversed();
  let done: string[] = [];
  let links = 0;
  while (parts.length > 0) {
    const part = parts.pop() as string;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    const target = await linkAt(path.join(root, ...done, part));
    if (target === undefined) {
      done.push(part);
      continue;
    }
    if (++links > maxLinks) return undefined;
    if (target.startsWith("/")) done = [];
    parts.push(...target.split("/").toReversed());
  }
  return `/${done.join("/")}`;
}

async function linkAt(file: string): Promise<string | undefined> {
  const found = await lstat(file).catch(() => undefined);
  return found?.isSymbolicLink() ? readlink(file) : undefined;
}

/**
 * Makes the folder that something is to be mounted on, for the user and the group `owner` on the disk. Returns its path
 * in the container, without links. Throws `invalid`.
 */
export async function makeMountPoint(root: string, target: string, owner: number): Promise<string> {
  const inside = await resolveInside(root, target);
  if (inside === undefined) throw cannotMount(target, "its links go in a circle in the image");
  // LXC puts file systems of its own there, and makes what is needed in them.
  if (/^\/(?:dev|proc|sys)(?:\/|$)/.test(inside)) return inside;
  try {
    const made = await mkdir(path.join(root, inside), { recursive: true });
    if (made !== undefined && owner !== 0)
      await runChild(["chown", "-R", `${owner}:${owner}`, "--", made], { task: "lxc" });
  } catch (error) {
    if (codeOf(error) !== "ENOTDIR" && codeOf(error) !== "EEXIST") throw error;
    throw cannotMount(target, "the image has a file there", error);
  }
  return inside;
}

function cannotMount(target: string, reason: string, cause?: unknown): AppError {
  return new AppError("invalid", `${target} cannot be mounted on: ${reason}.`, { cause });
}

/** Writes /etc/hostname, but for an image without /etc. What lies there is replaced, never written through. */
export async function writeHostname(root: string, hostname: string, owner: number): Promise<void> {
  const folder = await placeOf(root, "/etc");
  if (folder === undefined || !(await lstat(folder)).isDirectory()) return;
  const file = path.join(folder, "hostname");
  if ((await lstat(file).catch(() => undefined))?.isDirectory()) return;
  await rm(file, { force: true });
  await writeFile(file, `${hostname}\n`, { flag: "wx", mode: 0o644 });
  await lchown(file, owner, owner);
}

/** Returns whether the image's first process is systemd. */
export async function hasSystemd(root: string): Promise<boolean> {
  const init = await placeOf(root, "/sbin/init");
  return init !== undefined && path.basename(init) === "systemd";
}

/** Returns a path of the image as one of the host; undefined when nothing is there. */
async function placeOf(root: string, wanted: string): Promise<string | undefined> {
  const inside = await resolveInside(root, wanted);
  if (inside === undefined) return undefined;
  const place = path.join(root, inside);
  return lstat(place).then(
    () => place,
    () => undefined,
  );
}
