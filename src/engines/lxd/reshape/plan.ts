import { AppError, hasCode } from "../../../errors.ts";
import type { ExecRequest } from "../../container-life.ts";
import type { Exec } from "../exec/exec.ts";
import { checkMemory } from "../../reshape/memory.ts";
import { fieldInFiles, noResolver, unwritable } from "../../reshape/own-files.ts";
import { checkShape } from "../../reshape/check-shape.ts";
import type { Shape } from "../../shape.ts";
import { toSentence } from "../../shared/error-text.ts";
import { reasonOf } from "../failures.ts";
import type { LxdHttp } from "../client/http.ts";
import type { InsideFiles } from "./inside-files.ts";
import { type Instance, instancePath, isUp } from "../client/instance.ts";
import { backup } from "../rootfs/copy.ts";
import { isQuotaExceeded } from "./patch-instance.ts";
import { ignoresSizes } from "../rootfs/pool.ts";
import { rootOf } from "../client/instance-devices.ts";
import { type GivenNetwork, planAddresses } from "../network/taken-addresses.ts";

interface Deps {
  http: LxdHttp;
  files: InsideFiles;
  exec: Exec;
}

/** What a change comes to; as far as can be seen, all of it can be done. */
export interface PlannedShape {
  /** As it was before the change. */
  instance: Instance;
  /** 0 = it does not run. */
  pid: number;
  /** Its root goes to another pool, for which it must not run. */
  moves: boolean;
  /** New addresses; absent: they stay. */
  network?: GivenNetwork;
}

interface State {
  pid: number;
  disk: Record<string, { usage?: number } | undefined> | null;
}

const countPatience = 60_000;

/** Returns what finds out whether a change can be made, and what it comes to. */
export function createReshapePlan({ http, files, exec }: Deps) {
  async function plan(instance: Instance, change: Shape, signal?: AbortSignal): Promise<PlannedShape> {
    checkShape(change);
    const state = await http.get<State>(`${instancePath(instance.name)}/state`, signal);
    const pid = isUp(instance) ? Math.max(0, state.pid) : 0;
    if (change.memory !== undefined && pid > 0) await checkMemory(pid, change.memory);
    if (change.nameServers) await checkResolver(instance.name);
    const moves = change.size === undefined ? false : await planSize(instance, state, change.size);
    const network = change.addresses && (await planAddresses(http, instance, change.addresses, signal));
    return { instance, pid, moves, ...(network && { network }) };
  }

  /** Returns whether the container's root must move to another pool. Throws `conflict`, field `size`. */
  async function planSize(instance: Instance, { disk }: State, size: number): Promise<boolean> {
    const root = rootOf(instance);
    if (!root) throw new AppError("engine_failed", `The LXD container ${instance.name} has no disk.`);
    const used = disk?.[root.device]?.usage || (await measureUsage(instance));
    if (used > size) throw belowUsage(used);
    const moves = ignoresSizes(await driverOf(http, root.config["pool"]));
    if (moves) await checkMove(instance);
    return moves;
  }

  /**
   * Throws `conflict` when a container cannot be moved: in the end LXD removes the first one, with all that is only
   * there.
   */
  async function checkMove({ name, expanded_config: config = {} }: Instance): Promise<void> {
    if (/^(?:true|1|yes|on)$/i.test(config["security.protection.delete"] ?? ""))
      throw cannotMove("is protected against being deleted: take security.protection.delete away first");
    const backups = await http.get<string[]>(`${instancePath(name)}/backups`);
    if (backups.some((url) => !url.endsWith(`/${backup}`)))
      throw cannotMove("has backups in LXD, which would be lost: remove them first");
  }

  /**
   * Returns the bytes that a running container uses, by a program inside where it has one: a pool that holds no sizes
   * does not know. 0 = unknown.
   */
  async function measureUsage({ name, status }: Instance): Promise<number> {
    if (status !== "Running") return 0;
    const request: ExecRequest = { command: ["du", "-sxk", "/"], environment: [] };
    const result = await exec(name, request, AbortSignal.timeout(countPatience)).catch(() => undefined);
    return Number(/^(\d+)\s/.exec(result?.stdout ?? "")?.[1] ?? 0) * 1024;
  }

  async function checkResolver(name: string): Promise<void> {
    if ((await files.kind(name, "/etc")) !== "directory") throw noResolver("LXD", name, "has no folder /etc");
    if ((await files.kind(name, "/etc/resolv.conf")) === "directory")
      throw noResolver("LXD", name, "has a folder in the place of /etc/resolv.conf");
  }

  /**
   * Throws `conflict` when the container's own files cannot be written, before anything is changed. Not while somebody
   * else may stop the container: LXD does not stop one while it is at its files.
   */
  async function checkFiles(name: string, change: Shape): Promise<void> {
    const field = fieldInFiles(change);
    // A new size makes room, or has been looked at.
    if (field === undefined || change.size !== undefined || (await files.kind(name, "/etc")) !== "directory") return;
    try {
      await files.probe(name, "/etc");
    } catch (error) {
      if (isQuotaExceeded(error)) throw unwritable(field, "its file system is full", error);
      if (hasCode(error, "disk_full") || !/sftp/i.test(reasonOf(error))) throw error;
      throw unwritable(field, toSentence(reasonOf(error)), error);
    }
  }

  return { plan, checkFiles };
}

function cannotMove(reason: string): AppError {
  const message = `The size needs another pool of LXD, and the container ${reason}.`;
  return new AppError("conflict", message, { details: { field: "size" } });
}

/** Returns the `conflict`, field `size`, for a size below what is used. `used`: bytes. */
export function belowUsage(used?: number, cause?: unknown): AppError {
  const amount = used === undefined ? "" : `: ${used} bytes`;
  return new AppError("conflict", `The size is less than what the container uses${amount}.`, {
    details: { field: "size" },
    cause,
  });
}

/** Returns the driver of a pool, as btrfs; "" when there is no such pool. */
export async function driverOf(http: LxdHttp, pool: string | undefined): Promise<string> {
  return (await http.find<{ driver: string }>(`/1.0/storage-pools/${pool ?? ""}`))?.driver ?? "";
}
