import { AppError, hasCode } from "../../errors.ts";
import type { LxdHttp } from "./http.ts";

type Device = Record<string, string>;

/** A pool of the station's own, beside one that cannot hold sizes. */
const ownPool = "gantry";
/** Pools of these take a size and do not keep to it. */
const sizeless = ["dir"];

/**
 * The root device of a container with a size in bytes: on the pool of the default profile, or, where that would let it
 * grow beyond, on a btrfs pool in a file, made when it is needed first.
 */
export async function sizedRoot(http: LxdHttp, size: number): Promise<Record<string, Device>> {
  const { devices } = await http.get<{ devices: Record<string, Device> }>("/1.0/profiles/default");
  const [name = "root", root] =
    Object.entries(devices).find(([, { type, path }]) => type === "disk" && path === "/") ?? [];
  const pool = root?.["pool"];
  const driver = pool && (await http.find<{ driver: string }>(`/1.0/storage-pools/${pool}`))?.driver;
  const fit = pool && driver && !isSizeless(driver) ? pool : await ensureOwnPool(http);
  return { [name]: { type: "disk", path: "/", pool: fit, size: String(size) } };
}

export function isSizeless(driver: string): boolean {
  return sizeless.includes(driver);
}

export async function ensureOwnPool(http: LxdHttp): Promise<string> {
  const path = `/1.0/storage-pools/${ownPool}`;
  if (await http.find(path)) return ownPool;
  const body = { name: ownPool, driver: "btrfs", description: "Gantry: containers with a size" };
  try {
    await http.send({ method: "POST", path: "/1.0/storage-pools", body, timeout: 60_000 });
  } catch (error) {
    // Another create was quicker.
    if (await http.find(path)) return ownPool;
    if (!hasCode(error, "engine_failed")) throw error;
    const message = `LXD cannot make a btrfs pool, which sizes need: ${error.message}`;
    throw new AppError("engine_failed", message, { cause: error });
  }
  return ownPool;
}
