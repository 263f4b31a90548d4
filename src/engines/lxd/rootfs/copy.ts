import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";

import { AppError, hasCode } from "../../../errors.ts";
import { runChild } from "../../../util/process/run-child.ts";
import type { LxdHttp } from "../client/http.ts";
import { instancePath } from "../client/instance.ts";
import type { Operations } from "../client/operations.ts";
import { reasonOf } from "../failures.ts";

/** The name of the backup that a container is copied by. */
export const backup = "gantry-move";
/** Milliseconds for the bytes of a root file system. */
const patience = 4 * 3_600_000;

/** Returns whether LXD has stopped reading what it was sent. When LXD is gone the next call says so. */
function isCutOff(error: unknown): boolean {
  return error instanceof AppError && (error.cause as NodeJS.ErrnoException | undefined)?.code === "EPIPE";
}

/** Returns what copies a container of one LXD to another pool, and what removes a thing of LXD by its path. */
export function createCopier(http: LxdHttp, operations: Operations) {
  /** Returns the copy's name: where LXD was killed at its work, its pool keeps files that LXD knows nothing of. */
  async function copyTo(name: string, pool: string): Promise<string> {
    for (const copy of copyNames(name)) {
      await remove(instancePath(copy));
      await removeStray(http.socket, pool, copy);
    }
    for (const copy of copyNames(name)) {
      try {
        await duplicate(name, copy, pool);
        return copy;
      } catch (error) {
        if (!/already exists on target/i.test(reasonOf(error)) && !isCutOff(error)) throw error;
      }
    }
    throw new AppError("engine_failed", `LXD's pool ${pool} is full of copies of ${name} that were cut off.`);
  }

  async function duplicate(name: string, copy: string, pool: string): Promise<void> {
    const backups = `${instancePath(name)}/backups`;
    // With its snapshots, which would go with the first one.
    const body = { name: backup, instance_only: false, optimized_storage: false, compression_algorithm: "none" };
    await remove(`${backups}/${backup}`);
    try {
      await operations.run({ method: "POST", path: backups, body, timeout: patience });
      const exported = await http.stream(`${backups}/${backup}/export`, AbortSignal.timeout(patience));
      const upload = { type: "application/octet-stream", length: exported.length, open: () => exported.body };
      const headers = { "X-LXD-name": copy, "X-LXD-pool": pool };
      await operations.run({ method: "POST", path: "/1.0/instances", upload, headers, timeout: patience });
    } catch (error) {
      await remove(instancePath(copy)).catch(() => undefined);
      throw error;
    } finally {
      // The disk has its bytes twice.
      await remove(`${backups}/${backup}`).catch(() => undefined);
    }
  }

  async function remove(url: string): Promise<void> {
    try {
      await operations.run({ method: "DELETE", path: url });
    } catch (error) {
      if (!hasCode(error, "not_found")) throw error;
    }
  }

  return { copyTo, remove };
}

/** Returns the names for copies of a container, the same each time, so that none is left behind. */
function copyNames(name: string): string[] {
  const start = createHash("sha256").update(name).digest("hex").slice(0, 16);
  return [0, 1, 2, 3].map((index) => `gantry-move-${start}-${index}`);
}

/** Removes files of an instance that LXD does not have. Where LXD's pools are not in sight, as in a snap, they stay. */
async function removeStray(socket: string, pool: string, copy: string): Promise<void> {
  const folder = path.join(path.dirname(socket), "storage-pools", pool, "containers", copy);
  if (!existsSync(folder)) return;
  await runChild(["btrfs", "subvolume", "delete", "--", folder], { task: "lxd" }).catch(() => undefined);
}
