import { readlink } from "node:fs/promises";
import { basename } from "node:path";

import { runChild } from "../../util/process/run-child.ts";
import type { Subnet } from "../../util/addresses/subnet.ts";
import { isInternal } from "./host-addresses.ts";

/** What this host knows of the network that an interface of it leads to. */
export interface LanNetwork {
  /** The subnets that this host has addresses of in it; [] where it has none. */
  subnets: Subnet[];
  /** A bridge that leads nowhere but to containers. */
  internal: boolean;
}

/** Returns the network of an interface; an adapter that is part of a bridge has its addresses there. */
export async function lanNetworkOf(device: string): Promise<LanNetwork> {
  const bridge = basename(await readlink(`/sys/class/net/${device}/master`).catch(() => device));
  const text = await runChild(["ip", "-4", "-o", "address", "show", "dev", bridge], { task: "lan" });
  const subnets = [...text.matchAll(/inet ([\d.]+)\/(\d+)/g)].map(([, address = "", length]) => {
    return { address, length: Number(length) };
  });
  return { subnets, internal: await isInternal(device) };
}
