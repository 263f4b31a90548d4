import { readFile } from "node:fs/promises";
import path from "node:path";

import { decodeMountPoint } from "../../../util/mount-point.ts";
import { runChild } from "../../../util/process/run-child.ts";
import { settingsOf } from "../files/config-file.ts";
import { imageName, type Layout } from "../files/layout.ts";
import { inMountedImage } from "./loop-image.ts";
import { hasRootHooks } from "./mount-hooks.ts";

/** Where a container's root file system is: a folder, or a file with a file system of its own. */
export interface RootLocation {
  /** A folder, or a file with an ext4. */
  kind: "folder" | "image";
  /** The path of the folder or the file. */
  path: string;
  /** It is in the container's own folder. */
  own: boolean;
  /** Where hooks mount the file for the moment of a start. */
  mountPoint?: string;
}

/**
 * Returns where a container's root file system is, by its configuration; undefined when it is on something that only
 * LXC knows how to mount.
 */
export function locateRoot(layout: Layout, name: string, config: string): RootLocation | undefined {
  const setting = settingsOf(config, "lxc.rootfs.path").at(-1) ?? "";
  const [, type = "dir", place = ""] = /^(?:(\w+):)?(\/.*)$/.exec(setting) ?? [];
  if (place === "" || (type !== "dir" && type !== "loop")) return undefined;
  const own = path.dirname(place) === layout.home(name);
  if (own && hasRootHooks(config))
    return { kind: "image", path: path.join(layout.home(name), imageName), own, mountPoint: place };
  return { kind: type === "dir" ? "folder" : "image", path: place, own };
}

/** Runs `work` with a root file system, without what a running container has mounted on it. */
export function inRoot<T>(place: RootLocation, task: string, work: (root: string) => Promise<T>): Promise<T> {
  return place.kind === "folder" ? work(place.path) : inMountedImage({ image: place.path, task }, work);
}

/** Unmounts what a start that was killed in the middle has left. Only for a container that LXC does not run. */
export async function unmountLeftover(place: RootLocation | undefined): Promise<void> {
  const point = place?.mountPoint;
  if (point !== undefined && (await isMounted(point))) await runChild(["umount", "-l", "--", point], { task: "lxc" });
}

/** Returns whether something is mounted on a folder, by /proc/self/mountinfo. */
export async function isMounted(point: string): Promise<boolean> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  return table.split("\n").some((line) => decodeMountPoint(line.split(" ")[4] ?? "") === point);
}
