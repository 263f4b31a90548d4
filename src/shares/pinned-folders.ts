import { readdir, rmdir } from "node:fs/promises";
import path from "node:path";
import { createMutex } from "../util/concurrency.ts";
import { unmount } from "./mounts.ts";
import { createPinMounts, mountedPoints } from "./pin-mounts.ts";
import { parsePin, type Pin, pinPath } from "./pin-path.ts";
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

/** Returns the pins of this station. `root` is where they are: /run/gantry-shares/STATION. */
export function createPinnedFolders(shares: Shares, root: string): PinnedFolders {
  /** Changes must not overlap: two mounts on one mount point would hide each other. */
  const runExclusive = createMutex();

  const { mountPin, restorePin } = createPinMounts(shares, root);
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
          if (pin && (await restorePin(pin, anew))) restored.push(source);
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

/** Removes folders only, and only empty ones: the files of a share are safe even if it is still mounted there. */
async function removeEmpty(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) await removeEmpty(path.join(folder, name));
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
