import { mkdir, readdir, rename, rmdir } from "node:fs/promises";
import path from "node:path";

import { runChild } from "../../processes/child.ts";
import { removeTree } from "../../processes/remove-tree.ts";
import { codeOf, nameTaken } from "../failures.ts";
import { waitUntilUnmounted } from "./loop-device.ts";
import { imageName, type Layout, parseStagingName, removedName, stagingName } from "./layout.ts";

/**
 * Where containers are made and deleted, so that below LXC's path they are there whole or not at all. A folder's name
 * says whose work it is.
 *
 * INVARIANT: an empty folder of a container's name is only a claim. What decides is the rename, which replaces nothing
 * but an empty folder.
 */
export interface Staging {
  /** A new folder for the container. */
  open(owner: Owner, name: string): Promise<string>;
  /** Claims the name; `conflict` when it is taken. */
  claim(name: string): Promise<void>;
  /** `conflict` when the name is taken meanwhile. */
  publish(folder: string, name: string): Promise<void>;
  /** Deletes an unfinished container, and its claim. */
  discard(folder: string, name: string, owner: Owner): Promise<void>;
  /** Takes a container away: as soon as it resolves there is none. Answers the folder that is left to be deleted. */
  withdraw(name: string, owner: Owner): Promise<string>;
  /** A new folder for work at a container that stays; also deleted by `recover`. */
  openAside(owner: Owner, name: string): Promise<string>;
  /** Names of what a killed process of the station was making or deleting; all of it is deleted. */
  recover(station: string): Promise<string[]>;
}

export interface Owner {
  station: string;
  task: number;
}

export function createStaging(layout: Layout): Staging {
  let withdrawn = 0;

  async function prepare(): Promise<void> {
    try {
      await mkdir(layout.staging, { mode: 0o700 });
    } catch (error) {
      if (codeOf(error) === "EEXIST") return;
      throw error;
    }
    // Where ext4 has just deleted many files it is slow to make new ones; below such a folder it begins elsewhere.
    await runChild(["chattr", "+T", "--", layout.staging], { task: "lxc" }).catch(() => undefined);
  }

  async function open(owner: Owner, name: string): Promise<string> {
    await prepare();
    const folder = path.join(layout.staging, stagingName(owner, name));
    try {
      await mkdir(folder, { mode: 0o770 });
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      // An earlier try of the same task left it.
      await removeTree(folder, { task: taskOf(owner) });
      await mkdir(folder, { mode: 0o770 });
    }
    return folder;
  }

  async function claim(name: string): Promise<void> {
    try {
      await mkdir(layout.home(name), { mode: 0o770 });
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      const content = await readdir(layout.home(name)).catch(() => [""]);
      if (content.length > 0) throw nameTaken(name, error);
    }
  }

  async function publish(folder: string, name: string): Promise<void> {
    try {
      await rename(folder, layout.home(name));
    } catch (error) {
      if (["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(codeOf(error))) throw nameTaken(name, error);
      throw error;
    }
  }

  async function discard(folder: string, name: string, owner: Owner): Promise<void> {
    // First: of a claim alone nobody would know later whose it was.
    await unclaim(name);
    await removeTree(folder, { task: taskOf(owner) });
  }

  async function unclaim(name: string): Promise<void> {
    try {
      await rmdir(layout.home(name));
    } catch (error) {
      // Somebody else's container, or nothing.
      if (!["ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR"].includes(codeOf(error))) throw error;
    }
  }

  async function withdraw(name: string, owner: Owner): Promise<string> {
    await prepare();
    for (;;) {
      const folder = path.join(layout.staging, removedName(owner, name, `${process.pid}-${++withdrawn}`));
      try {
        await rename(layout.home(name), folder);
        return folder;
      } catch (error) {
        if (!["ENOTEMPTY", "EEXIST"].includes(codeOf(error))) throw error;
      }
    }
  }

  async function openAside(owner: Owner, name: string): Promise<string> {
    await prepare();
    const folder = path.join(layout.staging, removedName(owner, name, `aside-${process.pid}-${++withdrawn}`));
    await mkdir(folder, { mode: 0o700 });
    return folder;
  }

  async function recover(station: string): Promise<string[]> {
    const names: string[] = [];
    for (const entry of await readdir(layout.staging).catch(() => [])) {
      const staged = parseStagingName(entry);
      if (staged?.station !== station) continue;
      if (!staged.removed) await unclaim(staged.name);
      // The kernel may be writing yet what was mounted for a process that is gone.
      await waitUntilUnmounted(path.join(layout.staging, entry, imageName), `${station}/0`).catch(() => undefined);
      await removeTree(path.join(layout.staging, entry), { task: `${station}/0` });
      names.push(staged.name);
    }
    return names;
  }

  return { open, claim, publish, discard, withdraw, openAside, recover };
}

function taskOf({ station, task }: Owner): string {
  return `${station}/${task}`;
}
