import path from "node:path";

import { settingsOf } from "./config-file.ts";
import type { Layout } from "./layout.ts";
import { inMountedImage } from "./loop-root.ts";

/** Where a container's root file system is: a folder, or a file with a file system of its own. */
export interface RootPlace {
  kind: "folder" | "image";
  path: string;
  /** It is in the container's own folder. */
  own: boolean;
}

/** `undefined`: on something else, which only LXC knows how to mount. */
export function rootPlace(layout: Layout, name: string, config: string): RootPlace | undefined {
  const setting = settingsOf(config, "lxc.rootfs.path").at(-1) ?? "";
  const [, type = "dir", place = ""] = /^(?:(\w+):)?(\/.*)$/.exec(setting) ?? [];
  if (place === "" || (type !== "dir" && type !== "loop")) return undefined;
  const kind = type === "dir" ? "folder" : "image";
  return { kind, path: place, own: path.dirname(place) === layout.home(name) };
}

/** Without what a running container has mounted on it. */
export function inRoot<T>(place: RootPlace, task: string, work: (root: string) => Promise<T>): Promise<T> {
  return place.kind === "folder" ? work(place.path) : inMountedImage({ image: place.path, task }, work);
}
