import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";

import { AppError, hasCode } from "../../../errors.ts";
import { runChild } from "../../processes/child.ts";
import { reasonOf } from "../failures.ts";
import type { LxdHttp } from "../client/http.ts";
import { findInstance, type Instance, instancePath, keys } from "../client/instance.ts";
import type { Operations } from "../client/operations.ts";

/**
 * Roots that go from one pool to another. LXD's own way loses hard links, so a container goes there by a backup, as a
 * copy with a name of its own; then the first one is removed and the copy gets its name. What is left when LXD or the
 * station ends in between is told by the key that both have.
 *
 * INVARIANT: the first one bears `leaving` only while there is a whole copy. LXD removes its files before it forgets it,
 * so that it is there does not say that it is whole.
 */
export interface Moving {
  /** Brings it there once `stop` has stopped it; it must have the key already. */
  move(name: string, pool: string, stop: () => Promise<void>): Promise<void>;
  /** All with their own names: a copy without its first one is the container, any other goes. */
  settled(instances: readonly Instance[]): Promise<Instance[]>;
  /** The same for one. */
  find(name: string, signal?: AbortSignal): Promise<Instance | undefined>;
  /** Whether its first one may be gone already, and the copy not yet have its name. */
  isUnderWay(name: string): boolean;
}

function isLeaving({ config }: Instance): boolean {
  return config[keys.leaving] === "true";
}

/** Of a container that moves. */
export const backup = "gantry-move";
/** For the bytes of a root. */
const patience = 4 * 3_600_000;

export function isCopy({ name, config }: Instance): boolean {
  return config[keys.moving] !== undefined && config[keys.moving] !== name;
}

/** LXD has stopped to read what it was sent. Of one that is gone the next call says so. */
function isCutOff(error: unknown): boolean {
  return error instanceof AppError && (error.cause as NodeJS.ErrnoException | undefined)?.code === "EPIPE";
}

export function createMoving(http: LxdHttp, operations: Operations): Moving {
  const underWay = new Set<string>();

  async function move(name: string, pool: string, stop: () => Promise<void>): Promise<void> {
    underWay.add(name);
    try {
      await stop();
      await setLeaving(name, false);
      const copy = await copyTo(name, pool);
      await setLeaving(name, true);
      await remove(instancePath(name));
      await operations.run({ method: "POST", path: instancePath(copy), body: { name } });
    } finally {
      underWay.delete(name);
    }
  }

  async function setLeaving(name: string, on: boolean): Promise<void> {
    const body = { config: { [keys.leaving]: on ? "true" : "" } };
    await operations.run({ method: "PATCH", path: instancePath(name), body });
  }

  /** Answers the copy's name: where LXD was killed at its work, its pool keeps files that LXD knows nothing of. */
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

  async function settled(instances: readonly Instance[]): Promise<Instance[]> {
    const all = new Map(instances.map((instance) => [instance.name, instance]));
    for (const copy of instances.filter(isCopy)) {
      const name = copy.config[keys.moving] as string;
      const first = all.get(name);
      // Without the key it is another one that got the name meanwhile.
      if (first && first.config[keys.moving] !== name) continue;
      all.delete(copy.name);
      // What cannot be mended now keeps nobody from all the others; whoever uses it is told by LXD.
      if (first && !isLeaving(first)) await discard(copy.name, name).catch(() => undefined);
      else all.set(name, await finish(copy, name).catch(() => ({ ...copy, name })));
    }
    return [...all.values()];
  }

  /** The copy is whole. */
  async function finish(copy: Instance, name: string): Promise<Instance> {
    if (!underWay.has(name) && !(await operations.isBusy(copy.name)) && !(await operations.isBusy(name))) {
      await remove(instancePath(name));
      await operations.run({ method: "POST", path: instancePath(copy.name), body: { name } });
    }
    return { ...copy, name };
  }

  async function discard(copy: string, name: string): Promise<void> {
    if (underWay.has(name) || (await operations.isBusy(copy))) return;
    if (await http.find(instancePath(name))) await remove(instancePath(copy));
  }

  async function find(name: string, signal?: AbortSignal): Promise<Instance | undefined> {
    const found = await findInstance(http, name, signal);
    if (found && found.config[keys.moving] === undefined) return found;
    const all = await http.get<Instance[]>("/1.0/instances?recursion=1&instance-type=container", signal);
    const concerned = all.filter((instance) => instance.name === name || instance.config[keys.moving] === name);
    const one = (await settled(concerned)).find((instance) => instance.name === name);
    return one && ((await findInstance(http, name, signal)) ?? one);
  }

  return { move, settled, find, isUnderWay: (name) => underWay.has(name) };
}

/** The same each time, so that none is left behind. */
function copyNames(name: string): string[] {
  const start = createHash("sha256").update(name).digest("hex").slice(0, 16);
  return [0, 1, 2, 3].map((index) => `gantry-move-${start}-${index}`);
}

/** Of an instance that LXD does not have. Where its pools are not in sight, as in a snap, it stays. */
async function removeStray(socket: string, pool: string, copy: string): Promise<void> {
  const folder = path.join(path.dirname(socket), "storage-pools", pool, "containers", copy);
  if (!existsSync(folder)) return;
  await runChild(["btrfs", "subvolume", "delete", "--", folder], { task: "lxd" }).catch(() => undefined);
}
