import { mkdir, readdir, readFile, rename, rm, statfs } from "node:fs/promises";
import path from "node:path";

import { AppError, invalid } from "../../../errors.ts";
import { runChild } from "../../../util/process/run-child.ts";
import { removeTree } from "../../processes/remove-tree.ts";
import { readConfig, type Settings, withSettings, writeConfig } from "../files/config-file.ts";
import { exists } from "../../../util/exists.ts";
import { loopDevice } from "../files/loop-device.ts";
import { folderName, imageName, type Layout } from "../files/layout.ts";
import { formatImage, growImage, imageSizes, inMountedImage, syncImage, makeLoopRoot } from "../rootfs/loop-image.ts";
import { isPrivileged, mappedRanges } from "../id-map/id-range.ts";
import { rootHookSettings } from "../rootfs/mount-hooks.ts";
import { inRoot, isMounted, type RootLocation, locateRoot, unmountLeftover } from "../rootfs/root-location.ts";
import { runningContainers } from "../process/running-containers.ts";
import type { Owner, Staging } from "../files/staging.ts";

interface Deps {
  layout: Layout;
  staging: Staging;
}

/** The container whose size is changed. */
export interface Subject {
  /** The container's name. */
  name: string;
  /** Whose work it is: the station and task that made the container. */
  owner: Owner;
  /** The same as STATION/TASK, for `runChild`. */
  task: string;
}

/** `undefined`: its size is that already. `live`: it grows where it is, as it runs; else its files are copied while it is stopped. */
export type SizePlan = { live: boolean } | undefined;

/** What changes the size of a container's root file system. */
export type Resizing = ReturnType<typeof createResizing>;

/**
 * Returns what changes the size of a container's root file system. It grows in its place where the kernel lets this
 * process do that. All else is a copy of its files to a new file system in staging, which then takes the place of the
 * old by a rename: after a crash at any moment there is the old or the new.
 */
export function createResizing({ layout, staging }: Deps) {
  async function plan(subject: Subject, size: number): Promise<SizePlan> {
    const config = await readConfig(layout, subject.name);
    const place = locateRoot(layout, subject.name, config);
    if (!place?.own) throw invalidSize("cannot be set: the container has its files elsewhere.");
    const sizes = place.kind === "image" ? await imageSizes(place.path) : undefined;
    const whole = sizes && size - sizes.used < blockSize;
    if (sizes && whole && size === sizes.file) return undefined;
    if (sizes && size >= sizes.file && (await mayGrow())) return { live: true };
    await withStaged(staging, subject, async (folder) => {
      const probe = path.join(folder, imageName);
      await formatImage(probe, size, subject.task);
      const [needs, room] = await Promise.all([usage(place, subject.task), roomOf(probe, subject.task)]);
      if (needs.bytes > room.bytes || needs.files > room.files) throw tooSmall();
    });
    return { live: false };
  }

  async function grow({ name, task }: Subject, size: number): Promise<void> {
    const place = locateRoot(layout, name, await readConfig(layout, name));
    if (place?.kind === "image") await growImage(place.path, size, task);
  }

  /** Copies the files of a stopped container to a new file system, which takes the place of the old. */
  async function remake(subject: Subject, size: number, signal?: AbortSignal): Promise<void> {
    const { name, task } = subject;
    const config = await readConfig(layout, name);
    const place = locateRoot(layout, name, config);
    if (!place?.own) throw invalidSize("cannot be set: the container has its files elsewhere.");
    await withStaged(staging, subject, async (folder) => {
      const image = path.join(folder, imageName);
      await makeLoopRoot({ image, size, task }, (target) =>
        inSource(place, task, (root) => copyFiles(root, target, { task, signal })),
      );
      await syncImage(image);
      if (await isInUse(layout, subject, place))
        throw new AppError("conflict", `The LXC container ${name} was started meanwhile: try again.`);
      const made = path.join(layout.home(name), imageName);
      await rename(image, made);
      await writeConfig(layout, name, withSettings(config, rootSettings(layout, name, config)));
      if (place.kind === "image" && place.path !== made) await rm(place.path, { force: true });
      await removeLeftovers(subject);
    });
  }

  /** Removes what a copy that was killed has left beside the root file system in use. */
  async function removeLeftovers(subject: Subject): Promise<void> {
    const { name } = subject;
    const place = locateRoot(layout, name, await readConfig(layout, name));
    // One that LXC is starting needs its mount.
    if (!(await runningContainers(layout.path)).has(name)) await unmountLeftover(place);
    const [folder, image] = [folderName, imageName].map((file) => path.join(layout.home(name), file)) as [
      string,
      string,
    ];
    if (place?.path === folder && (await exists(image))) await rm(image);
    if (place?.path !== image) return;
    const isMountPoint = place.mountPoint === folder;
    // LXC is starting it.
    if (isMountPoint && (await isMounted(folder))) return;
    const left = await readdir(folder).catch(() => undefined);
    if (left && !(isMountPoint && left.length === 0))
      await withStaged(staging, subject, (away) => rename(folder, path.join(away, folderName)));
    if (isMountPoint) await mkdir(folder, { recursive: true, mode: 0o755 });
  }

  return { plan, grow, remake, removeLeftovers };
}

/** Runs `work` with an empty folder in staging that is deleted afterwards. */
async function withStaged(staging: Staging, subject: Subject, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await staging.openAside(subject.owner, subject.name);
  try {
    await work(folder);
  } finally {
    await removeTree(folder, { task: subject.task });
  }
}

async function isInUse(layout: Layout, { name, task }: Subject, place: RootLocation): Promise<boolean> {
  if ((await runningContainers(layout.path)).has(name)) return true;
  return place.kind === "image" && (await loopDevice(place.path, task)) !== undefined;
}

/** Returns the settings of a container whose root file system is in a file from now on. */
function rootSettings(layout: Layout, name: string, config: string): Settings {
  const home = layout.home(name);
  if (isPrivileged(mappedRanges(config))) return { "lxc.rootfs.path": `loop:${path.join(home, imageName)}` };
  return { "lxc.rootfs.path": `dir:${path.join(home, folderName)}`, ...rootHookSettings(config, true) };
}

const blockSize = 4096;
/** The kernel's CAP_SYS_RESOURCE, without which a mounted file system does not grow. */
const resourceRight = 24n;

async function mayGrow(): Promise<boolean> {
  const rights = /^CapEff:\s*(\w+)$/m.exec(await readFile("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${rights}`) >> resourceRight) & 1n) === 1n;
}

/**
 * Runs `work` with a root file system that is mounted read-only, in case that somebody starts the container meanwhile.
 */
function inSource<T>(place: RootLocation, task: string, work: (root: string) => Promise<T>): Promise<T> {
  return place.kind === "folder"
    ? work(place.path)
    : inMountedImage({ image: place.path, task, options: ["ro"] }, work);
}

/** Copies files with owners, modes, times, attributes, access lists, links and holes; nothing that is mounted there. */
async function copyFiles(
  from: string,
  to: string,
  options: { task: string; signal: AbortSignal | undefined },
): Promise<void> {
  await runChild(["cp", "-a", "--one-file-system", "--", `${from}/.`, to], options);
}

interface Amount {
  bytes: number;
  /** Files, folders and all else that has an inode. */
  files: number;
}

async function usage(place: RootLocation, task: string): Promise<Amount> {
  return inRoot(place, task, async (root) => {
    if (place.kind === "image") {
      const { blocks, bfree, bsize, files, ffree } = await statfs(root);
      return { bytes: (blocks - bfree) * bsize, files: files - ffree };
    }
    const count = async (...how: string[]): Promise<number> =>
      Number.parseInt(await runChild(["du", "-s", "--one-file-system", ...how, "--", root], { task }), 10);
    return { bytes: await count("--block-size=1"), files: await count("--inodes") };
  });
}

/** Returns what a new file system can take, with a little left for its own lists. */
async function roomOf(image: string, task: string): Promise<Amount> {
  const text = await runChild(["dumpe2fs", "-h", "--", image], { task });
  const read = (field: string): number => Number(new RegExp(`^${field}:\\s*(\\d+)$`, "m").exec(text)?.[1] ?? 0);
  return { bytes: read("Free blocks") * read("Block size") * 0.99, files: read("Free inodes") };
}

function invalidSize(reason: string): AppError {
  return invalid("size", reason);
}

function tooSmall(): AppError {
  return new AppError("conflict", "size is below what the container's files take.", { details: { field: "size" } });
}
