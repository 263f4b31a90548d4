import { createHash } from "node:crypto";

import { AppError } from "../../errors.ts";
import type { ContainerSpec } from "../engine.ts";
import type { LxdHttp } from "./http.ts";

export interface Card {
  /** Name of the device in the profile. */
  device: string;
  config: Record<string, string>;
}

type Devices = Record<string, Record<string, string>>;

/** The network device that LXD's default profile gives to every container. */
export async function profileCard(http: LxdHttp): Promise<Card> {
  const { devices } = await http.get<{ devices: Devices }>("/1.0/profiles/default");
  const [device, config] = Object.entries(devices).find(([, { type }]) => type === "nic") ?? [];
  if (device && config) return { device, config };
  throw new AppError("engine_failed", "LXD's profile default has no network device; run lxd init once.");
}

/**
 * An address that a container keeps for life, which the forwarding of its ports needs. Not on a network that is not
 * LXD's own. `attempt`: another one each time, when LXD says that somebody was quicker.
 */
export async function fixedAddress(
  http: LxdHttp,
  card: Card,
  spec: ContainerSpec,
  attempt: number,
): Promise<string | undefined> {
  const name = card.config["network"];
  if (spec.ports.length === 0 || spec.network.mode !== "nat" || name === undefined) return undefined;
  const { config } = await http.get<{ config: Record<string, string> }>(`/1.0/networks/${name}`);
  const [own, length] = (config["ipv4.address"] ?? "").split("/");
  if (!own || !length) return undefined;
  const taken = new Set([own, ...(await leased(http, name)), ...(await reserved(http))]);
  const size = 2 ** (32 - Number(length));
  const network = Math.floor(toNumber(own) / size) * size;
  const usable = size - 2;
  const first = createHash("sha256").update(`${spec.name} ${attempt}`).digest().readUInt32BE() % usable;
  for (let step = 0; step < usable; step++) {
    const address = toAddress(network + 1 + ((first + step) % usable));
    if (!taken.has(address)) return address;
  }
  throw new AppError("engine_failed", `LXD's network ${name} has no free address.`);
}

async function leased(http: LxdHttp, network: string): Promise<string[]> {
  const leases = await http.get<{ address: string }[]>(`/1.0/networks/${network}/leases`);
  return leases.map(({ address }) => address);
}

async function reserved(http: LxdHttp): Promise<string[]> {
  const instances = await http.get<{ expanded_devices?: Devices }[]>("/1.0/instances?recursion=1");
  return instances.flatMap(({ expanded_devices: devices = {} }) =>
    Object.values(devices).flatMap((device) => device["ipv4.address"] ?? []),
  );
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toAddress(value: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(value / 2 ** bits) % 256).join(".");
}
