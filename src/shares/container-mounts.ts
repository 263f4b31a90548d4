import { constants } from "node:fs";
import { open, readFile, type FileHandle } from "node:fs/promises";
import { decodeMountPoint } from "../util/mount-point.ts";

/** A folder, wherever it is mounted. */
export interface FolderIdentity {
  /** The number of its file system (`st_dev` of stat(2)). */
  device: bigint;
  /** Its number in that file system (`st_ino` of stat(2)). */
  inode: bigint;
}

/**
 * Returns whether a container's process has every one of these folders mounted, as often as it is named. The image
 * decides what a path in the container leads to, so the kernel's list of mounts is read, and no link is followed.
 */
export async function hasMounted(pid: number, folders: readonly FolderIdentity[]): Promise<boolean> {
  const wanted = new Map<string, number>();
  for (const folder of folders) count(wanted, `${folder.device}:${folder.inode}`, 1);
  const table = await readFile(`/proc/${pid}/mountinfo`, "utf8");
  for (const line of table.trimEnd().split("\n")) {
    const [id = "", , , , point = ""] = line.split(" ");
    const found = await identityOf(pid, id, decodeMountPoint(point));
    if (found) count(wanted, found, -1);
  }
  return [...wanted.values()].every((left) => left <= 0);
}

/** The kernel's flag of a process on its way out, whose mounts are gone before it is. */
const exiting = 0x4;

/** Returns whether a process has ended or is about to: what it had mounted cannot be told any more. */
export async function isEnding(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  const [state = "Z", , , , , , flags = "0"] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return stat === "" || state === "Z" || (Number(flags) & exiting) !== 0;
}

function count(counts: Map<string, number>, key: string, by: number): void {
  const before = counts.get(key);
  if (before !== undefined || by > 0) counts.set(key, (before ?? 0) + by);
}

/**
 * Returns the identity of the folder at a mount point; `undefined` for a file, and if another mount is there by now.
 */
async function identityOf(pid: number, mount: string, point: string): Promise<string | undefined> {
  let folder: FileHandle | undefined;
  try {
    folder = await openDirectory(`/proc/${pid}/root/`, 0);
    for (const part of point.split("/").filter(Boolean)) {
      const next = await openDirectory(`/proc/self/fd/${folder.fd}/${part}`, constants.O_NOFOLLOW);
      await folder.close();
      folder = next;
    }
    const info = await readFile(`/proc/self/fdinfo/${folder.fd}`, "utf8");
    if (/^mnt_id:\s*(\d+)$/m.exec(info)?.[1] !== mount) return undefined;
    const { dev, ino } = await folder.stat({ bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  } finally {
    await folder?.close();
  }
}

function openDirectory(path: string, flags: number): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_DIRECTORY | flags);
}
