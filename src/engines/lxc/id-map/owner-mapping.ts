import { statfs } from "node:fs/promises";
import { release } from "node:os";

/**
 * The first kernel that can mount a file system with other owners than it has on the disk (`FS_ALLOW_IDMAP`), by the
 * file system's magic number (statfs(2)).
 */
const mapsOwnersSince: Readonly<Record<number, readonly [major: number, minor: number]>> = {
  // ext4, XFS, btrfs, F2FS, tmpfs, bcachefs
  0xef53: [5, 12],
  0x58465342: [5, 12],
  0x9123683e: [5, 15],
  0xf2f52010: [5, 18],
  0x01021994: [6, 3],
  0xca451a4e: [6, 7],
};

/** The first version of LXC that mounts a container's root file system so. */
const lxcVersion = 5;

/** The file system that the station makes for a container with a size. */
const ext4 = 0xef53;

/**
 * Returns whether this version of LXC can mount a root file system with the owners of a container: one in this folder, or
 * an ext4 in a file of its own.
 */
export async function mapsOwners(place: { folder: string } | "ext4", lxc: string): Promise<boolean> {
  if (Number.parseInt(lxc, 10) < lxcVersion) return false;
  return place === "ext4" ? kernelMaps(ext4) : kernelMapsOwners(place.folder);
}

/** Returns whether the kernel is known to mount this folder with other owners than its files have on the disk. */
export async function kernelMapsOwners(folder: string): Promise<boolean> {
  return kernelMaps((await statfs(folder)).type);
}

function kernelMaps(type: number): boolean {
  const since = mapsOwnersSince[type];
  return since !== undefined && isAtLeast(release(), since);
}

function isAtLeast(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = kernel.split(/[.-]/).map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
