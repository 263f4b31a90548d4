import { chmod, mkdir, readdir, rmdir, stat } from "node:fs/promises";
import path from "node:path";
import { AppError, hasCode } from "../errors.ts";
import { createMutex } from "../util/concurrency.ts";
import { mountFolder, mountMemory, readMounts, unmount } from "./mounts.ts";
import { folderOfPin, parsePin, type Pin, pinPath } from "./pin-path.ts";
import type { SharePath, Shares } from "./shares.ts";

/**
 * Folders of shares as engines are given them. A container that may write to a share can put a link in the place of any
 * folder there, so no engine is told a path in a share. Each folder is opened by the station and mounted on a path of
 * the station's own, a pin, that no container reaches: /run/gantry-shares/STATION/ENGINE/TASK/FOLDER.
 *
 * A pin lives in a file system in memory. After a reboot the path is missing, so an engine that starts the container by
 * itself fails, until the station has opened the folder anew and mounted it again.
 */
export interface PinnedFolders {
  /** Mounts the folders for a task's container. Returns their pins, in the same order. Safe to repeat. */
  pin(engine: string, task: number, places: readonly SharePath[]): Promise<string[]>;
  /**
   * Mounts those of `paths` that are pins and are not mounted. Returns them. Throws what opening a folder throws.
   * `anew`: a pin whose folder is no longer at its place in the share is replaced by the folder that is there now.
   */
  restore(paths: readonly string[], options?: { anew?: boolean }): Promise<string[]>;
  /** Returns those of `paths` that are pins and are not mounted. */
  missing(paths: readonly string[]): Promise<string[]>;
  /** Takes away the pins of a task's container. No error when there are none. */
  release(engine: string, task: number): Promise<void>;
  /** Returns the tasks that have pins of an engine. */
  tasks(engine: string): Promise<number[]>;
  /** Returns the folder that the pins of a task are in. */
  folder(engine: string, task: number): string;
  /** Returns the place in a share of a path that an engine was given; undefined when it is no pin of this station. */
  placeOf(path: string): SharePath | undefined;
  /** Returns the task whose pin a path is; undefined when it is no pin of this station. */
  taskOf(path: string): number | undefined;
}

/** Others may pass through. Root in an LXD or LXC container is one of them, and looks its mounts up by itself. */
const passable = 0o711;
const closed = 0o700;
const lookedUpInside: ReadonlySet<string> = new Set(["lxc", "lxd"]);

export function createPinnedFolders(shares: Shares, root: string): PinnedFolders {
  /** Changes must not overlap: two mounts on one mount point would hide each other. */
  const runExclusive = createMutex();

  async function prepare({ engine, task }: Pin): Promise<void> {
    if (!(await mountedPoints()).has(root)) {
      await makeFolder(path.dirname(root));
      await makeFolder(root);
      await mountMemory(root, passable.toString(8));
    }
    const ofEngine = path.join(root, engine);
    await mkdir(ofEngine, { recursive: true });
    await chmod(ofEngine, lookedUpInside.has(engine) ? passable : closed);
    await makeFolder(folderOf(engine, task));
  }

  /** Opens the folder and mounts it at its pin, unless that very folder is mounted there. */
  async function mountPin(pin: Pin): Promise<void> {
    const target = pinPath(root, pin);
    const folder = await shares.openFolder(pin.place);
    try {
      await prepare(pin);
      if ((await mountedPoints()).has(target)) {
        if (isSame(await stat(target, { bigint: true }), folder)) return;
        await unmount(target);
      }
      for (const step of folderOfPin(root, pin)) await makeFolder(step);
      await mountFolder(folder.handle, target);
      if (isSame(await stat(target, { bigint: true }), folder)) return;
      await unmount(target);
      throw new AppError("internal", "A folder of a share was mounted, and another one appeared.");
    } finally {
      await folder.handle.close();
    }
  }

  async function restoreOne(pin: Pin, anew: boolean): Promise<boolean> {
    const mounted = (await mountedPoints()).has(pinPath(root, pin));
    if (mounted && !anew) return false;
    try {
      await mountPin(pin);
      return !mounted;
    } catch (error) {
      // What was opened when the container was made is still what it gets.
      if (mounted && (hasCode(error, "not_found") || hasCode(error, "forbidden"))) return false;
      throw error;
    }
  }

  const folderOf = (engine: string, task: number): string => path.join(root, engine, String(task));

  function parse(source: string): Pin | undefined {
    return parsePin(root, source, (place) => shares.parse(place, "volume.host"));
  }

  return {
    pin: (engine, task, places) =>
      runExclusive(async () => {
        const paths: string[] = [];
        for (const place of places) {
          const pin = { engine, task, place };
          await mountPin(pin);
          paths.push(pinPath(root, pin));
        }
        return paths;
      }),

    restore: (paths, { anew = false } = {}) =>
      runExclusive(async () => {
        const restored: string[] = [];
        for (const source of new Set(paths)) {
          const pin = parse(source);
          if (pin && (await restoreOne(pin, anew))) restored.push(source);
        }
        return restored;
      }),

    async missing(paths) {
      const pinned = paths.filter((source) => parse(source) !== undefined);
      if (pinned.length === 0) return [];
      const points = await mountedPoints();
      return pinned.filter((source) => !points.has(source));
    },

    release: (engine, task) =>
      runExclusive(async () => {
        const folder = folderOf(engine, task);
        const below = [...(await mountedPoints())].filter((point) => point.startsWith(`${folder}/`));
        for (const point of below) await unmount(point);
        await removeEmpty(folder);
      }),

    async tasks(engine) {
      const names = await readdir(path.join(root, engine)).catch(() => []);
      return names.map(Number).filter(Number.isSafeInteger);
    },

    folder: folderOf,
    placeOf: (source) => parse(source)?.place,
    taskOf: (source) => parse(source)?.task,
  };
}

async function mountedPoints(): Promise<Set<string>> {
  return new Set((await readMounts()).map(({ point }) => point));
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, passable);
}

/** Removes folders only, and only empty ones: the files of a share are safe even if it is still mounted there. */
async function removeEmpty(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) await removeEmpty(path.join(folder, name));
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

function isSame(found: { dev: bigint; ino: bigint }, folder: { device: bigint; inode: bigint }): boolean {
  return found.dev === folder.device && found.ino === folder.inode;
}
