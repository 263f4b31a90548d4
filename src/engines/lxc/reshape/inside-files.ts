import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { lstat, mkdir, open, rename, unlink, type FileHandle } from "node:fs/promises";

import { codeOf } from "../failures.ts";

/**
 * Files in a root file system whose container may run and change it meanwhile. Each folder is opened from the one before
 * and is no link, so nothing of the host is reached; what is in a file's place is replaced, never written through.
 */

const largest = 1 << 20;
const draft = ".gantry-new";
/** More than all files together that are put there. */
const probeSize = 16 << 10;

/** Returns whether there is a folder, and no link leads there. */
export async function hasFolder(root: string, place: string): Promise<boolean> {
  return (await withFolder(root, place, async () => true)) ?? false;
}

/** Returns a file as text; undefined when there is none of up to 1 MiB, or something else in its place. */
export async function readInside(root: string, place: string): Promise<string | undefined> {
  const { folder, name } = split(place);
  return withFolder(root, folder, async (at) => {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(`${at}/${name}`, flags).catch(() => undefined);
    if (!file) return undefined;
    try {
      const info = await file.stat();
      return info.isFile() && info.size <= largest ? await file.readFile("utf8") : undefined;
    } finally {
      await file.close();
    }
  });
}

/**
 * Replaces a file, whole or not at all. Returns false when its folder is not there, or when a folder is in its place.
 */
export async function replaceInside(root: string, place: string, text: string): Promise<boolean> {
  const { folder, name } = split(place);
  const done = await withFolder(root, folder, async (at, handle) => {
    const before = await lstat(`${at}/${name}`).catch(() => undefined);
    if (before?.isDirectory()) return false;
    const draft = await writeDraft(at, handle, text);
    await rename(draft, `${at}/${name}`).catch(async (error: unknown) => {
      await unlink(draft).catch(() => undefined);
      throw error;
    });
    return true;
  });
  return done ?? false;
}

/** Throws what the kernel says when no small file can be put there. */
export async function checkWritableInside(root: string, folder: string): Promise<void> {
  await withFolder(root, folder, async (at, handle) => unlink(await writeDraft(at, handle, " ".repeat(probeSize))));
}

/**
 * Writes a new file and returns its path. What was begun before is deleted, but for what somebody has put in its place.
 */
async function writeDraft(at: string, folder: FileHandle, text: string): Promise<string> {
  await unlink(`${at}/${draft}`).catch(() => undefined);
  const place = (await lstat(`${at}/${draft}`).catch(() => undefined)) ? `${draft}-${randomUUID()}` : draft;
  const owner = await folder.stat();
  const file = await open(`${at}/${place}`, "wx", 0o644);
  try {
    await file.writeFile(text);
    await file.chown(owner.uid, owner.gid);
    await file.chmod(0o644);
    await file.sync();
  } catch (error) {
    await unlink(`${at}/${place}`).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
  return `${at}/${place}`;
}

/** Makes a folder where there is none; the folder above is there. */
export async function makeFolderInside(root: string, place: string): Promise<void> {
  const { folder, name } = split(place);
  await withFolder(root, folder, (at) =>
    mkdir(`${at}/${name}`, { mode: 0o755 }).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    }),
  );
}

/** Runs `work` with an open folder, and returns what it returns; undefined when there is no such folder. */
async function withFolder<T>(
  root: string,
  place: string,
  work: (at: string, handle: FileHandle) => Promise<T>,
): Promise<T | undefined> {
  const handle = await openFolder(root, place);
  if (!handle) return undefined;
  try {
    return await work(`/proc/self/fd/${handle.fd}`, handle);
  } finally {
    await handle.close();
  }
}

async function openFolder(root: string, place: string): Promise<FileHandle | undefined> {
  let folder = await open(root, constants.O_RDONLY | constants.O_DIRECTORY);
  for (const part of place.split("/").filter(Boolean)) {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    const next = await open(`/proc/self/fd/${folder.fd}/${part}`, flags).catch(() => undefined);
    await folder.close();
    if (!next) return undefined;
    folder = next;
  }
  return folder;
}

function split(place: string): { folder: string; name: string } {
  const at = place.lastIndexOf("/");
  return { folder: place.slice(0, at), name: place.slice(at + 1) };
}
