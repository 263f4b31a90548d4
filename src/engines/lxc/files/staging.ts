import { mkdir, readdir, rename, rmdir } from "node:fs/promises";
import path from "node:path";

import { runChild } from "../../../util/process/run-child.ts";
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
  /** Makes a new folder for the container and returns its path. */
  open(owner: Owner, name: string): Promise<string>;
  /** Claims the name by an empty folder; throws `conflict` when it is taken. */
  claim(name: string): Promise<void>;
  /** Renames a finished folder to the container's place; throws `conflict` when the name is taken meanwhile. */
  publish(folder: string, name: string): Promise<void>;
  /** Deletes an unfinished container, and its claim. */
  discard(folder: string, name: string, owner: Owner): Promise<void>;
  /** Takes a container away: as soon as it resolves there is none. Returns the folder that is left to be deleted. */
  withdraw(name: string, owner: Owner): Promise<string>;
  /** Makes a new folder for work at a container that stays and returns its path; `recover` deletes such folders too. */
  openAside(owner: Owner, name: string): Promise<string>;
  /** Deletes what a killed process of the station was making or deleting, and returns the names of those containers. */
  recover(station: string): Promise<string[]>;
}

/** Whose work a staged folder is. */
export interface Owner {
  /** The station's id; "none" for a container that no station made. */
  station: string;
  /** The task's id; 0 for no task. */
  task: number;
}

/** Returns the staging folder of one LXC path; it is made when it is needed first. */
export function createStaging(layout: Layout): Staging {
  /** Counts what this process has withdrawn or opened aside, so that names never meet. */
  let serial = 0;

  async function open(owner: Owner, name: string): Promise<string> {
    await prepare(layout.staging);
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

  async function discard(folder: string, name: string, owner: Owner): Promise<void> {
    // First: of a claim alone nobody would know later whose it was.
    await unclaim(layout, name);
    await removeTree(folder, { task: taskOf(owner) });
  }

  async function withdraw(name: string, owner: Owner): Promise<string> {
    await prepare(layout.staging);
    for (;;) {
      const folder = path.join(layout.staging, removedName(owner, name, `${process.pid}-${++serial}`));
      try {
        await rename(layout.home(name), folder);
        return folder;
      } catch (error) {
        if (!["ENOTEMPTY", "EEXIST"].includes(codeOf(error))) throw error;
      }
    }
  }

  async function openAside(owner: Owner, name: string): Promise<string> {
    await prepare(layout.staging);
    const folder = path.join(layout.staging, removedName(owner, name, `aside-${process.pid}-${++serial}`));
    await mkdir(folder, { mode: 0o700 });
    return folder;
  }

  return {
    open,
    claim: (name) => claim(layout, name),
    publish: (folder, name) => publish(layout, folder, name),
    discard,
    withdraw,
    openAside,
    recover: (station) => recover(layout, station),
  };
}

async function prepare(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    throw error;
  }
  // Where ext4 has just deleted many files it is slow to make new ones; below such a folder it begins elsewhere.
  await runChild(["chattr", "+T", "--", folder], { task: "lxc" }).catch(() => undefined);
}

async function claim(layout: Layout, name: string): Promise<void> {
  try {
    await mkdir(layout.home(name), { mode: 0o770 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    const content = await readdir(layout.home(name)).catch(() => [""]);
    if (content.length > 0) throw nameTaken(name, error);
  }
}

async function unclaim(layout: Layout, name: string): Promise<void> {
  try {
    await rmdir(layout.home(name));
  } catch (error) {
    // Somebody else's container, or nothing.
    if (!["ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR"].includes(codeOf(error))) throw error;
  }
}

async function publish(layout: Layout, folder: string, name: string): Promise<void> {
  try {
    await rename(folder, layout.home(name));
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(codeOf(error))) throw nameTaken(name, error);
    throw error;
  }
}

async function recover(layout: Layout, station: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(layout.staging).catch(() => [])) {
    const staged = parseStagingName(entry);
    if (staged?.station !== station) continue;
    if (!staged.removed) await unclaim(layout, staged.name);
    // The kernel may be writing yet what was mounted for a process that is gone.
    await waitUntilUnmounted(path.join(layout.staging, entry, imageName), `${station}/0`).catch(() => undefined);
    await removeTree(path.join(layout.staging, entry), { task: `${station}/0` });
    names.push(staged.name);
  }
  return names;
}

function taskOf({ station, task }: Owner): string {
  return `${station}/${task}`;
}
