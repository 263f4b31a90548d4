import { AppError, invalid } from "../../../errors.ts";
import { answersArp, findHostHolders } from "../../network/host-addresses.ts";
import { type GivenAddress, parseAddresses } from "../../network/given-addresses.ts";
import { givenTo, macsOf } from "../client/instance-addresses.ts";
import type { LxdHttp } from "../client/http.ts";
import type { Instance } from "../client/instance.ts";
import { type Card, cardOf } from "../client/instance-devices.ts";

/** Addresses that a container is given, and their card. */
export interface GivenNetwork {
  /** Addresses of the container from now on. */
  given: readonly GivenAddress[];
  /** The bridge's own address. */
  gateway: string;
  /** The card that gets them. */
  card: Card;
}

/**
 * Returns what these addresses come to for a container. Throws `invalid`, or `conflict` for one that this host or
 * somebody else has, in both cases with the field `addresses`.
 */
export async function planAddresses(
  http: LxdHttp,
  instance: Instance,
  wanted: readonly string[],
  signal?: AbortSignal,
): Promise<GivenNetwork> {
  const card = cardOf(instance);
  const bridge = card?.config["network"];
  if (!card || bridge === undefined) throw invalid("addresses", "can only be changed on a network of LXD's own.");
  const network = await http.get<{ config: Record<string, string> }>(`/1.0/networks/${bridge}`, signal);
  const [gateway = "", length] = (network.config["ipv4.address"] ?? "").split("/");
  if (length === undefined) throw invalid("addresses", `cannot be given: LXD's network ${bridge} has no IPv4.`);
  const given = parseAddresses(wanted, { address: gateway, length: Number(length) });
  const taken = new Set([
    ...(
      await findHostHolders(
        given.map(({ address }) => address),
        bridge,
        signal,
      )
    ).keys(),
    ...(await leasedToOthers(http, bridge, instance, signal)),
    ...(await others(http, instance.name, signal)),
  ]);
  const used = given.find(({ address }) => taken.has(address));
  if (used) throw addressInUse(used.address);
  // Somebody may have set it inside, of which LXD knows nothing.
  const near = given.filter((one) => one.near).map(({ address }) => address);
  const answered = await Promise.all(near.map((address) => answersArp(address, bridge, signal, macsOf(instance))));
  const other = near.find((_, index) => answered[index]);
  if (other !== undefined) throw addressInUse(other);
  return { given, gateway, card };
}

/** Returns the `conflict`, field `addresses`, for an address that somebody has. */
export function addressInUse(address: string, cause?: unknown): AppError {
  return new AppError("conflict", `The address ${address} is in use.`, { details: { field: "addresses" }, cause });
}

async function leasedToOthers(http: LxdHttp, bridge: string, instance: Instance, signal?: AbortSignal) {
  const leases = await http.get<{ address: string; hwaddr: string; hostname: string; type: string }[]>(
    `/1.0/networks/${bridge}/leases`,
    signal,
  );
  const macs = macsOf(instance);
  const isOwn = ({ hwaddr, hostname, type }: (typeof leases)[number]): boolean =>
    macs.includes(hwaddr.toLowerCase()) || (type === "static" && hostname === instance.name);
  return leases.filter((lease) => !isOwn(lease)).map(({ address }) => address);
}

async function others(http: LxdHttp, name: string, signal?: AbortSignal): Promise<string[]> {
  const instances = await http.get<Instance[]>("/1.0/instances?recursion=1", signal);
  return instances.filter((other) => other.name !== name).flatMap(givenTo);
}
