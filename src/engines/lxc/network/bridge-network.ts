import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { AppError } from "../../../errors.ts";
import { runChild } from "../../processes/child.ts";
import type { Subnet } from "../../network/subnet.ts";
import type { Layout } from "../files/layout.ts";

const leases = (bridge: string): string => `/var/lib/misc/dnsmasq.${bridge}.leases`;

export async function bridgeSubnet(bridge: string, signal: AbortSignal | undefined): Promise<Subnet> {
  const argv = ["ip", "-4", "-o", "address", "show", "dev", bridge] as const;
  const text = await runChild(argv, { task: "lxc", signal }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    return "";
  });
  const [, address, length] = /inet ([\d.]+)\/(\d+)/.exec(text) ?? [];
  if (address && length) return { address, length: Number(length) };
  throw new AppError("engine_failed", `LXC's bridge ${bridge} has no address on this host; start lxc-net once.`);
}

export interface Reserved {
  address: string;
  /** The card's that has a lease of it, in lower case. */
  mac?: string | undefined;
  /** The container's that it is reserved for. */
  name?: string;
}

/** Leased by the bridge's DHCP server, and reserved there. */
export async function reservedAddresses(bridge: string, { hostsDir }: Layout): Promise<Reserved[]> {
  const lines = (await readFile(leases(bridge), "utf8").catch(() => "")).split("\n");
  const leased = lines.flatMap((line) => {
    const [, mac, address] = line.split(" ");
    return address === undefined ? [] : { address, mac: mac?.toLowerCase() };
  });
  const files = (await readdir(hostsDir).catch(() => [])).filter((name) => !name.startsWith("."));
  const reserved = await Promise.all(files.map((name) => reservationsIn(hostsDir, name)));
  return [...leased, ...reserved.flat()];
}

async function reservationsIn(hostsDir: string, name: string): Promise<Reserved[]> {
  const text = await readFile(path.join(hostsDir, name), "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const address = line.trim().split(",")[1];
    return address === undefined ? [] : { address, name };
  });
}
