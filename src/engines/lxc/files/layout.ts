import path from "node:path";

/**
 * Folders of LXC's containers. A name that begins with a dot is no container's; LXC's own tools pass over it too.
 * What is being made or deleted is in the staging folder, which is on the same file system.
 */
export interface Layout {
  /** LXC's path: a folder for each container, by its name. */
  readonly path: string;
  /** The folder in which containers are made and deleted. */
  readonly staging: string;
  /** Reservations that the bridge's DHCP server reads: a file for each container, by its name. */
  readonly hostsDir: string;
  /** Returns the container's folder. */
  home(name: string): string;
  /** Returns the path of `gantry.json`: what the station knows of a container. */
  facts(name: string): string;
  /** Returns the path of LXC's configuration of a container; see lxc.container.conf(5). */
  config(name: string): string;
  /** Returns the path of a file that is there as soon as the container has run. */
  started(name: string): string;
}

/** A container's root file system, in its folder. */
export const folderName = "rootfs";
/** The same with a size: an ext4 in a file. */
export const imageName = "rootfs.img";
/** Device nodes of a container with ids of its own. */
export const devicesName = "devices";

/** Returns the folders below an LXC path. `hostsDir`: where reservations are. */
export function createLayout(lxcPath: string, hostsDir: string): Layout {
  const folder = path.resolve(lxcPath);
  const home = (name: string): string => path.join(folder, name);
  return {
    path: folder,
    staging: path.join(folder, ".gantry-staging"),
    hostsDir,
    home,
    facts: (name) => path.join(home(name), "gantry.json"),
    config: (name) => path.join(home(name), "config"),
    started: (name) => path.join(home(name), "gantry.started"),
  };
}

/** Returns whether a folder of this name is a container, or can be one. */
export function isContainerName(name: string): boolean {
  return /^[^./][^/]*$/.test(name) && Buffer.byteLength(name) <= 255 && !name.includes("\0");
}

/** Returns STATION.TASK.NAME; stations and tasks have no dots. */
export function stagingName(owner: { station: string; task: number }, name: string): string {
  return `${owner.station}.${owner.task}.${name}`;
}

/** Returns STATION.TASK..removed-UNIQUE.NAME: no container's name begins with a dot. `unique`: without dots. */
export function removedName(owner: { station: string; task: number }, name: string, unique: string): string {
  return stagingName(owner, `.removed-${unique}.${name}`);
}

/**
 * Returns the parts of the name of a staged folder; undefined when it is none. `removed`: it was taken from its place.
 */
export function parseStagingName(entry: string): { station: string; name: string; removed: boolean } | undefined {
  const [, station, removed, name] = /^([0-9a-zA-Z-]+)\.\d+\.(\.removed-[^.]*\.)?([^.].*)$/.exec(entry) ?? [];
  return station && name ? { station, name, removed: removed !== undefined } : undefined;
}
