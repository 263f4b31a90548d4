import type { Images } from "../images.ts";

/**
 * The station's own store of system images, for engines that have none: root file systems to boot from. A reference is
 * NAME:TAG, as ubuntu-bionic:latest; the name is the image server's alias with `-` for `/`, the tag `latest`, the
 * release, or the serial of one build. `get`, `remove` and `rootfs` also take an id, or 12 and more of its digits.
 *
 * `pull` fails with `remote_failed` when the server is not in reach or answers wrongly, `not_found` when it has no such
 * image. A tag is one image's: pulled again it may be another's, and an image without tags is deleted.
 */
export interface SystemImages extends Images {
  /** Returns an image's root file system; undefined when it is not in the store. */
  rootfs(reference: string): Promise<Rootfs | undefined>;
  /**
   * Returns why a pull would not get an image at present; undefined when it would, or when the server has said nothing
   * of use in time.
   */
  findPullObstacle(reference: string, signal: AbortSignal): Promise<PullObstacle | undefined>;
}

/** Why an image cannot be pulled at present. */
export interface PullObstacle {
  /** A sentence. */
  reason: string;
  /** The server could not be asked: what it has is unknown. */
  unreachable: boolean;
}

/** The root file system of an image. */
export interface Rootfs {
  /** 64 hex digits. */
  id: string;
  /**
   * A tar of the root file system, packed with zstd; its paths are relative to the root. It is never changed. Whoever
   * has opened it can read it to its end, also when the image is removed meanwhile; opening it then fails with ENOENT.
   */
  archive: string;
  /** LXD's and LXC's word, as x86_64. */
  architecture: string;
  /** For a person, as "Debian bookworm". */
  description: string;
  /** When it was built, seconds since 1970. */
  created: number;
}
