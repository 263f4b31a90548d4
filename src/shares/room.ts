import { createHostProtection, type HostProtection } from "./host-protection.ts";
import { createPinnedFolders, type PinnedFolders } from "./pinned-folders.ts";
import { createShares, type Shares } from "./shares.ts";

export interface ShareOptions {
  /** Name of a share -> absolute path. */
  roots: Readonly<Record<string, string>>;
  /** Names of those in which nothing may be changed. */
  readOnly: readonly string[];
  /** This station's id. */
  station: string;
  /** Folder that keeps the names of protected shares. */
  protectedShares: string;
}

/** All that is done with shared folders. */
export interface ShareRoom {
  /** Finds and opens folders of shares. */
  shares: Shares;
  /** Mounts folders of shares for containers. */
  pins: PinnedFolders;
  /** Keeps what containers leave in shares from gaining power on the host. */
  protection: HostProtection;
}

/** Returns all parts that have to do with shared folders. Nothing is mounted yet. */
export function createShareRoom({ roots, readOnly, station, protectedShares }: ShareOptions): ShareRoom {
  const shares = createShares(roots, readOnly);
  return {
    shares,
    pins: createPinnedFolders(shares, `/run/gantry-shares/${station}`),
    protection: createHostProtection(shares, roots, protectedShares),
  };
}
