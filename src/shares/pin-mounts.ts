import { chmod, mkdir, stat } from "node:fs/promises";
import path from "node:path";
import { AppError, hasCode } from "../errors.ts";
import { mountFolder, mountMemory, readMounts, unmount } from "./mounts.ts";
import { folderOfPin, type Pin, pinPath } from "./pin-path.ts";
import type { OpenFolder, Shares } from "./shares.ts";

/** Others may pass through. Root in an LXD or LXC container is one of them, and looks its mounts up by itself. */
const passable = 0o711;
const closed = 0o700;
const lookedUpInside: ReadonlySet<string> = new Set(["lxc", "lxd"]);

/** Mounts single pins below `root`. The caller takes care that no two changes overlap. */
export interface PinMounts {
  /**
   * Opens the folder and mounts it at its pin, unless that very folder is mounted there. Throws what opening it throws,
   * and `internal` if another folder appeared.
   */
  mountPin(pin: Pin): Promise<void>;
  /**
   * Mounts a pin that is not mounted. Returns whether it did. `anew`: a pin whose folder is no longer at its place is
   * replaced by the folder that is there now.
   */
  restorePin(pin: Pin, anew: boolean): Promise<boolean>;
}

/** Returns the mounts of single pins. `root` is where they are: /run/gantry-shares/STATION. */
export function createPinMounts(shares: Pick<Shares, "openFolder">, root: string): PinMounts {
  /** Makes the folders above a pin, and mounts the file system that they are in. */
  async function prepare({ engine, task }: Pin): Promise<void> {
    if (!(await mountedPoints()).has(root)) {
      await makeFolder(path.dirname(root));
      await makeFolder(root);
      await mountMemory(root, passable.toString(8));
    }
    const ofEngine = path.join(root, engine);
    await mkdir(ofEngine, { recursive: true });
    await chmod(ofEngine, lookedUpInside.has(engine) ? passable : closed);
    await makeFolder(path.join(ofEngine, String(task)));
  }

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

  async function restorePin(pin: Pin, anew: boolean): Promise<boolean> {
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

  return { mountPin, restorePin };
}

/** Returns the mount points of this process's namespace. */
export async function mountedPoints(): Promise<Set<string>> {
  return new Set((await readMounts()).map(({ point }) => point));
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, passable);
}

function isSame(found: { dev: bigint; ino: bigint }, folder: OpenFolder): boolean {
  return found.dev === folder.device && found.ino === folder.inode;
}
