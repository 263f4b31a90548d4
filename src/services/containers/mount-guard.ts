import { readFile, stat } from "node:fs/promises";
import type { Container, Engine } from "../../engines/engine.ts";
import { AppError } from "../../errors.ts";
import { type FolderIdentity, hasMounted, isEnding } from "../../shares/container-mounts.ts";
import type { PinnedFolders } from "../../shares/pinned-folders.ts";
import type { Shares } from "../../shares/shares.ts";
import { decodeMountPoint } from "../../util/mount-point.ts";

/** Finds the folders of shares behind the paths that an engine was given. */
export interface SharedFolders {
  /** The shares of this host. */
  shares: Shares;
  /** The folders of shares that are mounted for containers. */
  pins: Pick<PinnedFolders, "placeOf">;
}

/**
 * Compares what a started container has mounted with what it was to get, and kills a container that got something else.
 * Returns false if it did. This is the second defence behind pinned folders, and the first one for containers of an older
 * version, which gave engines paths in the share.
 */
export async function guardMounts(engine: Engine, container: Container, folders: SharedFolders): Promise<boolean> {
  if (!engine.capabilities.local || container.mounts.length === 0 || container.pid === 0) return true;
  const asGiven = await hasGivenFolders(container, folders).catch(() => false);
  if (asGiven || (await isEnding(container.pid))) return true;
  if (((await engine.containers.getById(container.id))?.pid ?? 0) !== container.pid) return true;
  await engine.containers.kill(container.id);
  return false;
}

async function hasGivenFolders({ pid, mounts }: Container, folders: SharedFolders): Promise<boolean> {
  const wanted: FolderIdentity[] = [];
  for (const source of mounts) {
    const folder = await identityOf(source, folders);
    if (folder) wanted.push(folder);
  }
  return hasMounted(pid, wanted);
}

async function identityOf(source: string, { shares, pins }: SharedFolders): Promise<FolderIdentity | undefined> {
  if (pins.placeOf(source)) return identityOfPin(source);
  const place = await shares.locate(source);
  if (!place) return undefined;
  const { handle, device, inode } = await shares.openFolder(place);
  await handle.close();
  return { device, inode };
}

async function identityOfPin(source: string): Promise<FolderIdentity> {
  const { dev, ino } = await stat(source, { bigint: true });
  return { device: dev, inode: ino };
}

/** Throws `forbidden` when a container that was just started has not mounted every one of these pins. */
export async function assertMounted(engine: Engine, id: string, sources: readonly string[]): Promise<void> {
  if (sources.length === 0) return;
  const pid = (await engine.containers.getById(id))?.pid ?? 0;
  const wanted = await Promise.all(sources.map(identityOfPin));
  // The mounts of a container that has ended are unknown; the path that its engine was given could not be exchanged.
  if (pid === 0 || (await hasMounted(pid, wanted).catch(() => false)) || (await isEnding(pid))) return;
  if (((await engine.containers.getById(id))?.pid ?? 0) !== pid) return;
  throw new AppError("forbidden", "The container did not get the folders of volume.host that were opened for it.");
}

/** Throws `unsupported` when the engine's daemon is in a mount namespace in which the pins are not mounted. */
export async function assertVisible(engine: Engine, sources: readonly string[]): Promise<void> {
  const pid = await engine.daemon();
  if (pid === undefined) return;
  const table = await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => undefined);
  if (table === undefined) return;
  const points = new Set(table.split("\n").map((line) => decodeMountPoint(line.split(" ")[4] ?? "")));
  if (sources.every((source) => points.has(source))) return;
  throw new AppError(
    "unsupported",
    `volume.host cannot be given to ${engine.type}: it does not see the mounts of this host (it runs in a mount namespace of its own).`,
  );
}
