import { type FileHandle, open, rmdir, statfs } from "node:fs/promises";
import path from "node:path";

import { AppError, invalid } from "../../../errors.ts";
import { runChild } from "../../../util/process/run-child.ts";
import { codeOf } from "../failures.ts";
import { loopDevice } from "../files/loop-device.ts";
import { inMountNamespace } from "./mount-namespace.ts";

/**
 * Root file systems of a limited size: an ext4 in a file with holes, which LXC mounts through a loop device. Whoever
 * mounts one that runs takes the loop device that LXC has: two of them on one file would destroy it.
 */

/** The file system that is made. */
export interface Making {
  /** The file; it is not there yet. */
  image: string;
  /** Bytes. */
  size: number;
  /** The task that it belongs to, as STATION/TASK. */
  task: string;
}

/** The smallest size, in bytes, with room for a journal. */
const smallest = 8 << 20;
const writable = 4 << 20;

/** Makes a file system, and has it filled. Throws `invalid`, field `size`. `keepImage` brings it to the disk. */
export async function makeLoopRoot<T>({ image, size, task }: Making, fill: (root: string) => Promise<T>): Promise<T> {
  await formatImage(image, size, task);
  // Of a power cut in the middle nothing is kept.
  const options = ["nobarrier"];
  return inMountedImage({ image, task, options }, async (root) => {
    try {
      await rmdir(path.join(root, "lost+found"));
      const result = await fill(root);
      // Only this tells of what could not be written later.
      await runChild(["sync", "-f", "--", root], { task });
      return result;
    } catch (error) {
      throw await explainFullDisk(error, root, path.dirname(image));
    }
  });
}

/**
 * Makes an ext4 of so many bytes in a new file with holes: what is not written takes no room. Throws `invalid`, field
 * `size`.
 */
export async function formatImage(image: string, size: number, task: string): Promise<void> {
  if (size < smallest) throw invalid("size", `must be ${smallest} bytes at least.`);
  const file = await open(image, "wx", 0o600);
  try {
    await file.truncate(size);
  } catch (error) {
    throw codeOf(error) === "EFBIG" ? invalid("size", "is more than this host's file system can hold.") : error;
  } finally {
    await file.close();
  }
  const lazily = "lazy_itable_init=1,lazy_journal_init=1";
  await runChild(["mkfs.ext4", "-q", "-F", "-m", "0", "-b", "4096", "-E", lazily, "--", image], { task });
}

/** The file system that is mounted. */
export interface MountedImage {
  /** Path of the file. */
  image: string;
  /** The task that it belongs to, as STATION/TASK. */
  task: string;
  /** Options of the mount, where the station itself mounts the file. */
  options?: readonly string[];
}

/**
 * Runs `work` with the root file system as it is in its file, without what a running container has mounted on it.
 * Throws `conflict` when the container stops meanwhile.
 */
export async function inMountedImage<T>(
  { image, task, options = [] }: MountedImage,
  work: (root: string) => Promise<T>,
): Promise<T> {
  const point = path.dirname(image);
  return inMountNamespace(task, async (space) => {
    const device = await loopDevice(image, task);
    if (device === undefined) await space.mount(image, point, ["loop", ...options]);
    else await space.mount(device, point, []);
    // It may have been given to another file before it was mounted; from now on it is not.
    if (device !== undefined && device !== (await loopDevice(image, task))) throw stoppedMeanwhile();
    return work(space.at(point));
  });
}

/** Grows it where it is, also while it is in use; the file first. What was begun before is ended. */
export async function growImage(image: string, size: number, task: string): Promise<void> {
  const file = await open(image, "r+");
  try {
    if ((await file.stat()).size < size) await file.truncate(size);
    await file.sync();
  } finally {
    await file.close();
  }
  const before = await loopDevice(image, task);
  if (before !== undefined) await runChild(["losetup", "-c", before], { task });
  await inMountNamespace(task, async (space) => {
    await space.mount(before ?? image, path.dirname(image), before === undefined ? ["loop"] : []);
    const device = await loopDevice(image, task);
    if (device === undefined || device !== (before ?? device)) throw stoppedMeanwhile();
    await space.run(["resize2fs", "--", device]);
  });
}

/** Returns the bytes that the file holds, and those that its file system takes of them. */
export async function imageSizes(image: string): Promise<{ file: number; used: number }> {
  const file = await open(image, "r");
  try {
    return { file: (await file.stat()).size, used: await extent(file) };
  } finally {
    await file.close();
  }
}

/** Where the superblock begins, and what it says; see fs/ext4/ext4.h. */
const superblock = { at: 1024, length: 1024, blocksLow: 4, blockShift: 24, magic: 56, blocksHigh: 0x150 };

async function extent(file: FileHandle): Promise<number> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(superblock.length), 0, superblock.length, superblock.at);
  if (bytesRead < superblock.length || buffer.readUInt16LE(superblock.magic) !== 0xef53) return 0;
  const blocks = buffer.readUInt32LE(superblock.blocksLow) + buffer.readUInt32LE(superblock.blocksHigh) * 2 ** 32;
  return blocks * 2 ** (10 + buffer.readUInt32LE(superblock.blockShift));
}

function stoppedMeanwhile(): AppError {
  return new AppError("conflict", "The container was stopped meanwhile: try again.");
}

/**
 * Returns, for an error of a full file system, `invalid` when the container's is full and `disk_full` when the host's
 * is; else the error.
 */
async function explainFullDisk(error: unknown, root: string, folder: string): Promise<unknown> {
  const reason = `${codeOf(error)} ${error instanceof Error ? error.message : ""}`;
  if (!/ENOSPC|EIO|no space left|input\/output error|wrote only \d+ of/i.test(reason)) return error;
  const [own, host] = await Promise.all([root, folder].map((place) => statfs(place)));
  if (host && host.bavail * host.bsize < writable)
    return new AppError("disk_full", "The disk of LXC's containers is full.", { cause: error });
  if (own && (own.ffree < 16 || own.bavail * own.bsize < writable))
    return new AppError("invalid", "size is too small for the container's files.", {
      cause: error,
      details: { field: "size" },
    });
  return error;
}

/** Brings an image to the disk, before another one is deleted for it. */
export async function syncImage(image: string): Promise<void> {
  const file = await open(image, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
