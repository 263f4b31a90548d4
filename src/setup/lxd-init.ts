import { freeSubnet, readRoutes } from "./free-subnet.ts";
import { askLxd } from "./lxd-api.ts";

interface Described {
  name: string;
  description: string;
}

interface Profile {
  config: Record<string, string>;
  description: string;
  devices: Record<string, Record<string, string>>;
}

/** How set-up finds what it has begun, should it have been stopped in between. */
const mark = "Made by Gantry's set-up";
const bridge = "lxdbr0";
const usualSubnet = "10.99.0.0/24";
const pool = "default";
const profile = "/1.0/profiles/default";

/** One with a pool or a profile of its own has an owner who has decided. */
export async function isInitialised(socket: string): Promise<boolean> {
  const { devices } = await askLxd<Profile>(socket, "GET", profile);
  if (Object.values(devices).some(({ type }) => type === "disk")) return true;
  const pools = await askLxd<Described[]>(socket, "GET", "/1.0/storage-pools?recursion=1");
  return pools.some(({ description }) => description !== mark);
}

/** What `lxd init` does: a bridge, a pool, and the profile that has both. What is there already is used. */
export async function initialise(socket: string, log: (line: string) => void): Promise<void> {
  await makeBridge(socket);
  await makePool(socket, log);
  const { config, description, devices } = await askLxd<Profile>(socket, "GET", profile);
  const root = { type: "disk", path: "/", pool };
  const eth0 = { type: "nic", name: "eth0", network: bridge };
  await askLxd(socket, "PUT", profile, { config, description, devices: { ...devices, root, eth0 } });
}

async function makeBridge(socket: string): Promise<void> {
  const networks = await askLxd<string[]>(socket, "GET", "/1.0/networks");
  if (networks.includes(`/1.0/networks/${bridge}`)) return;
  // Not LXD's own choice: it asks the network around, and finds none free where a router answers for everybody.
  const address = freeSubnet(readRoutes(), usualSubnet, bridge).replace(/\.0\/24$/, ".1/24");
  const config = { "ipv4.address": address, "ipv4.nat": "true", "ipv6.address": "none" };
  await askLxd(socket, "POST", "/1.0/networks", { name: bridge, type: "bridge", description: mark, config });
}

/** btrfs on a loop file, since sizes hold there; else a folder. */
async function makePool(socket: string, log: (line: string) => void): Promise<void> {
  const pools = await askLxd<string[]>(socket, "GET", "/1.0/storage-pools");
  if (pools.includes(`/1.0/storage-pools/${pool}`)) return;
  const make = (driver: string): Promise<void> =>
    askLxd(socket, "POST", "/1.0/storage-pools", { name: pool, driver, description: mark, config: {} });
  try {
    await make("btrfs");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log(`LXD's pool is a folder, so that no size of a container holds: no btrfs here (${reason}).`);
    await make("dir");
  }
}
