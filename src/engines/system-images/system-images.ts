import type { Images } from "../engine.ts";

/**
 * The station's own store of system images, for engines that have none: root file systems to boot from. A reference is
 * NAME:TAG, as ubuntu-bionic:latest; the name is the image server's alias with `-` for `/`, the tag `latest`, the
 * release, or the serial of one build.
 */
export interface SystemImages extends Images {
  /** `undefined`: not in the store. */
  rootfs(reference: string): Promise<Rootfs | undefined>;
}

export interface Rootfs {
  /** 64 hex digits. */
  id: string;
  /** A tar of the root file system, packed with zstd; its paths are relative to the root. It is never changed. */
  archive: string;
  /** LXD's and LXC's word, as x86_64. */
  architecture: string;
  /** For a person, as "Debian bookworm". */
  description: string;
}
