import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";

import { isEdge, isInside, type Subnet } from "../../util/addresses/subnet.ts";
import { answersArp, findHostHolders } from "./host-addresses.ts";
import { lanNetworkOf } from "./lan-network.ts";

/** What this host knows of addresses that a container is to have. */

/** Returns why an address cannot work on the network of an interface, behind the name of its field; `undefined`: it can. */
export async function lanFaultOf(address: string, device: string): Promise<string | undefined> {
  const { subnets, internal } = await lanNetworkOf(device);
  const own = subnets.find((subnet) => isInside(subnet, address));
  if (own) return isEdge(own, address) ? `is the own or broadcast address of ${device}'s network` : undefined;
  if (!internal || subnets.length === 0) return undefined;
  return `must be in the network of ${device}, ${subnets.map(formatSubnet).join(", ")}: no other is there`;
}

/** Returns who has an address that is to be on the network of an interface: this host, or somebody beside it. */
export async function addressHolderOf(address: string, device: string): Promise<string | undefined> {
  const host = (await findHostHolders([address], device, undefined)).get(address);
  if (host !== undefined) return host;
  const { subnets } = await lanNetworkOf(device);
  const isNear = subnets.some((subnet) => isInside(subnet, address));
  return isNear && (await answersArp(address, device)) ? `somebody on the network of ${device}` : undefined;
}

/** Returns the interface of this host that has a MAC address. A bridge often has that of a part of it, and is named then. */
export async function macHolderOf(mac: string): Promise<string | undefined> {
  const folder = "/sys/class/net";
  const isBridge = (device: string): boolean => existsSync(`${folder}/${device}/bridge`);
  const found: string[] = [];
  for (const device of await readdir(folder)) {
    const address = await readFile(`${folder}/${device}/address`, "utf8").catch(() => "");
    if (address.trim().toLowerCase() === mac) found.push(device);
  }
  const device = found.find(isBridge) ?? found[0];
  return device === undefined ? undefined : `this host's ${device}`;
}

function formatSubnet({ address, length }: Subnet): string {
  return `${address}/${length}`;
}
