import { mkdir, open, readdir, realpath } from "node:fs/promises";
import path from "node:path";
import { AppError } from "../errors.ts";
import { createMutex } from "../util/concurrency.ts";
import { mountFolder, readMounts, type MountEntry } from "./mounts.ts";
import type { Shares } from "./shares.ts";

/**
 * Root in a container can leave a setuid program or a device node in a shared folder, and an account of the host could
 * use it to become root. So before a container of an operator may write to a share, the share's folder is mounted on
 * itself with nosuid and nodev. That lasts until the host reboots; the station does it again when it starts.
 */
export interface HostProtection {
  /** Throws `forbidden` when the share cannot be protected. Fast when it is already. */
  protect(share: string): Promise<void>;
  /** Protects every share that was ever protected; a share that cannot be is passed to `failed`. */
  restore(failed: (share: string, error: unknown) => void): Promise<void>;
}

/**
 * `roots`: name of a share -> absolute path. `folder`: where the names of protected shares are kept, as empty files.
 */
export function createHostProtection(
  shares: Pick<Shares, "openFolder" | "names">,
  roots: Readonly<Record<string, string>>,
  folder: string,
): HostProtection {
  const runExclusive = createMutex();

  async function protect(share: string): Promise<void> {
    const root = await realpath(roots[share] as string).catch(() => undefined);
    if (root === undefined) throw new AppError("not_found", `The shared folder /${share} does not exist on this host.`);
    if (isPowerless(root, await readMounts())) return;
    await remember(share);
    const opened = await shares.openFolder({ share, components: [] });
    try {
      const below = (await readMounts()).some(({ point }) => point.startsWith(`${root}/`));
      if (root !== "/") await mountFolder(opened.handle, root, { below }).catch(() => undefined);
    } finally {
      await opened.handle.close();
    }
    if (isPowerless(root, await readMounts())) return;
    throw new AppError(
      "forbidden",
      `The share ${share} cannot be mounted with nosuid and nodev on this host: an operator may mount it with ro true only.`,
    );
  }

  /** On disk before anything can be written to the share. */
  async function remember(share: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of [path.join(folder, encodeURIComponent(share)), folder]) {
      const file = await open(name, name === folder ? "r" : "a", 0o600);
      await file.sync();
      await file.close();
    }
  }

  return {
    protect: (share) => runExclusive(() => protect(share)),
    async restore(failed) {
      const known = new Set(shares.names());
      for (const name of await readdir(folder).catch(() => [])) {
        const share = decodeURIComponent(name);
        if (known.has(share)) {
          await runExclusive(() => protect(share)).catch((error: unknown) => failed(share, error));
        }
      }
    },
  };
}

/** Returns whether a path is reached through a mount that takes the power from setuid programs and device nodes. */
function isPowerless(place: string, mounts: readonly MountEntry[]): boolean {
  const around = mounts.filter(({ point }) => `${place}/`.startsWith(point === "/" ? "/" : `${point}/`));
  const longest = Math.max(...around.map(({ point }) => point.length));
  const last = around.findLast(({ point }) => point.length === longest);
  return last !== undefined && last.options.has("nosuid") && last.options.has("nodev");
}
