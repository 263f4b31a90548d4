import { freeSubnet, readRoutes } from "../free-subnet.ts";
import { requestLxd } from "./api.ts";

interface Described {
  name: string;
  description: string;
}

interface Profile {
  config: Record<string, string>;
  description: string;
  devices: Record<string, Record<string, string>>;
}

/** Description of what set-up makes. By it an interrupted set-up recognises its own bridge and pool. */
const setupMark = "Made by Gantry's set-up";
const bridge = "lxdbr0";
const defaultSubnet = "10.99.0.0/24";
const pool = "default";
const profile = "/1.0/profiles/default";

/** Tells whether somebody has initialised LXD: its default profile has a disk, or there is a pool that set-up did not make. */
export async function isInitialized(socket: string): Promise<boolean> {
  const { devices } = await requestLxd<Profile>(socket, "GET", profile);
  if (Object.values(devices).some(({ type }) => type === "disk")) return true;
  const pools = await requestLxd<Described[]>(socket, "GET", "/1.0/storage-pools?recursion=1");
  return pools.some(({ description }) => description !== setupMark);
}

/** Does what `lxd init` does: makes a bridge and a pool unless they exist, and adds both to the default profile. */
export async function initialize(socket: string, log: (line: string) => void): Promise<void> {
  await makeBridge(socket);
  await makePool(socket, log);
  const { config, description, devices } = await requestLxd<Profile>(socket, "GET", profile);
  const root = { type: "disk", path: "/", pool };
  const eth0 = { type: "nic", name: "eth0", network: bridge };
  await requestLxd(socket, "PUT", profile, { config, description, devices: { ...devices, root, eth0 } });
}

async function makeBridge(socket: string): Promise<void> {
  const networks = await requestLxd<string[]>(socket, "GET", "/1.0/networks");
  if (networks.includes(`/1.0/networks/${bridge}`)) return;
  // LXD's own choice pings addresses, and finds no free subnet where a router answers for all of them.
  const address = freeSubnet(readRoutes(), defaultSubnet, bridge).replace(/\.0\/24$/, ".1/24");
  const config = { "ipv4.address": address, "ipv4.nat": "true", "ipv6.address": "none" };
  await requestLxd(socket, "POST", "/1.0/networks", { name: bridge, type: "bridge", description: setupMark, config });
}

/** Makes a pool of btrfs in a loop file, because that enforces sizes of containers; a plain folder if that is impossible. */
async function makePool(socket: string, log: (line: string) => void): Promise<void> {
  const pools = await requestLxd<string[]>(socket, "GET", "/1.0/storage-pools");
  if (pools.includes(`/1.0/storage-pools/${pool}`)) return;
  const make = (driver: string): Promise<void> =>
    requestLxd(socket, "POST", "/1.0/storage-pools", { name: pool, driver, description: setupMark, config: {} });
  try {
    await make("btrfs");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log(`LXD's pool is a folder, so that no size of a container holds: no btrfs here (${reason}).`);
    await make("dir");
  }
}
