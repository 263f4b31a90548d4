import { setTimeout as delay } from "node:timers/promises";

import { AppError, hasCode } from "../../../errors.ts";
import { reasonOf } from "../failures.ts";
import type { LxdHttp } from "../client/http.ts";

type Device = Record<string, string>;

const pools = "/1.0/storage-pools";
/** Names for a pool of the station's own, beside one that cannot hold sizes: the first that LXD can use. */
const ownPools = ["gantry", "gantry-1", "gantry-2", "gantry-3"];
/** LXD takes less than a second. */
const makingPatience = 5_000;
/** Pools of these take a size and do not keep to it. */
const sizeless = ["dir"];

/**
 * Returns the root device of a container with a size in bytes: on the pool of the default profile, or, where that would
 * let it grow beyond, on a btrfs pool in a file, made when it is needed first. Throws `engine_failed` when that cannot
 * be made.
 */
export async function sizedRoot(http: LxdHttp, size: number): Promise<Record<string, Device>> {
  const { devices } = await http.get<{ devices: Record<string, Device> }>("/1.0/profiles/default");
  const [name = "root", root] =
    Object.entries(devices).find(([, { type, path }]) => type === "disk" && path === "/") ?? [];
  const pool = root?.["pool"];
  const driver = pool && (await http.find<{ driver: string }>(`/1.0/storage-pools/${pool}`))?.driver;
  const fit = pool && driver && !ignoresSizes(driver) ? pool : await ensureOwnPool(http);
  return { [name]: { type: "disk", path: "/", pool: fit, size: String(size) } };
}

/** Returns whether pools of a driver take a size and do not keep to it. */
export function ignoresSizes(driver: string): boolean {
  return sizeless.includes(driver);
}

const making = new WeakMap<LxdHttp, Promise<string>>();

/**
 * Makes the station's own pool when it is not there, once for all who call it at the same time, and returns its name.
 */
export function ensureOwnPool(http: LxdHttp): Promise<string> {
  const own = making.get(http) ?? makeOwnPool(http).finally(() => making.delete(http));
  making.set(http, own);
  return own;
}

async function makeOwnPool(http: LxdHttp): Promise<string> {
  for (const name of ownPools) {
    if (await isWhole(http, name)) return name;
    try {
      const body = { name, driver: "btrfs", description: "Gantry: containers with a size" };
      await http.send({ method: "POST", path: pools, body, timeout: 60_000 });
      return name;
    } catch (error) {
      // Another create was quicker.
      if (await isWhole(http, name)) return name;
      // LXD did not survive making it, and takes this name no more. What lies there is not looked into.
      if (/already exists/i.test(reasonOf(error))) continue;
      if (!hasCode(error, "engine_failed")) throw error;
      const message = `LXD cannot make a btrfs pool, which sizes need: ${error.message}`;
      throw new AppError("engine_failed", message, { cause: error });
    }
  }
  const message = `LXD cannot make a btrfs pool, which sizes need: what is left of ${ownPools.join(", ")} is in the way.`;
  throw new AppError("engine_failed", message);
}

/**
 * Returns whether a pool of this name can be used. One that LXD did not survive making is deleted. Of one with
 * containers LXD says itself what is wrong.
 */
async function isWhole(http: LxdHttp, name: string): Promise<boolean> {
  const deadline = performance.now() + makingPatience;
  for (;;) {
    const found = await http.find<{ status: string; used_by: string[] | null }>(`${pools}/${name}`);
    if (!found || found.status === "Created" || found.used_by?.length) return found !== undefined;
    if (performance.now() > deadline) break;
    await delay(100);
  }
  await http.send({ method: "DELETE", path: `${pools}/${name}` }).catch(() => undefined);
  return false;
}
