import { runChild } from "../../../util/process/run-child.ts";
import { AppError } from "../../../errors.ts";
import { reasonOf } from "../failures.ts";
import type { LxdHttp } from "../client/http.ts";
import { type Instance, instancePath } from "../client/instance.ts";
import type { Operations } from "../client/operations.ts";
import type { Patch } from "./patches.ts";

/** Changes a container's configuration as it is at this moment: what somebody else changes meanwhile stays. */
export type PatchInstance = (name: string, patchOf: (instance: Instance) => Patch) => Promise<void>;

const tries = 10;

/** Returns what changes a container's configuration. `retryWhileBusy`: as of `ContainerProcess`. */
export function createPatching(
  http: LxdHttp,
  operations: Operations,
  retryWhileBusy: (name: string, act: () => Promise<void>) => Promise<void>,
): PatchInstance {
  return async function patch(name, patchOf) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await retryWhileBusy(name, () => once(name, patchOf));
      } catch (error) {
        if (!isStale(error) || attempt === tries) throw error;
      }
    }
  };

  async function once(name: string, patchOf: (instance: Instance) => Patch): Promise<void> {
    const { metadata, etag } = await http.send<Instance>({ path: instancePath(name) });
    const headers = etag === undefined ? {} : { "If-Match": etag.replaceAll('"', "") };
    await operations.run({ method: "PATCH", path: instancePath(name), headers, body: patchOf(metadata) });
  }
}

function isStale(error: unknown): boolean {
  return error instanceof AppError && (error.cause as { status?: number } | undefined)?.status === 412;
}

/** Returns whether LXD refused because a file system is full to its limit. */
export function isQuotaExceeded(error: unknown): boolean {
  return /disk quota exceeded/i.test(reasonOf(error));
}

/**
 * Sets the limit of a btrfs subvolume by the pool's own path, and returns whether it took it: one that is full to its
 * limit refuses another limit that is set by a path in it.
 */
export async function setLimitByPool(error: unknown, size: number): Promise<boolean> {
  const words = /btrfs qgroup limit \S+ (0\/\d+) (\/[^\s:]+)\/(?:containers|instances)\//.exec(reasonOf(error));
  const [, group, pool] = words ?? [];
  if (group === undefined || pool === undefined) return false;
  const argv = ["btrfs", "qgroup", "limit", "--", String(size), group, pool] as const;
  return runChild(argv, { task: "lxd" }).then(
    () => true,
    () => false,
  );
}
