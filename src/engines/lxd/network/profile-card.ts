import { AppError } from "../../../errors.ts";
import type { ContainerSpec } from "../../container-spec.ts";
import { freeAddress } from "../../../util/addresses/subnet.ts";
import { givenTo } from "../client/instance-addresses.ts";
import type { LxdHttp } from "../client/http.ts";
import type { Instance } from "../client/instance.ts";

/** The network card that a profile gives. */
export interface Card {
  /** Name of the device in the profile. */
  device: string;
  /** Its settings, as in LXD's API. */
  config: Record<string, string>;
}

type Devices = Record<string, Record<string, string>>;

/**
 * Returns the network device that LXD's default profile gives to every container. Throws `engine_failed` when it has
 * none.
 */
export async function profileCard(http: LxdHttp): Promise<Card> {
  const { devices } = await http.get<{ devices: Devices }>("/1.0/profiles/default");
  const [device, config] = Object.entries(devices).find(([, { type }]) => type === "nic") ?? [];
  if (device && config) return { device, config };
  throw new AppError("engine_failed", "LXD's profile default has no network device; run lxd init once.");
}

/**
 * Returns an address that a container keeps for life, which the forwarding of its ports needs; undefined without ports,
 * or on a network that is not LXD's own. `attempt`: another one each time, when LXD says that somebody was quicker.
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
  const taken = [...(await leased(http, name)), ...(await reserved(http))];
  const address = freeAddress({ address: own, length: Number(length) }, taken, `${spec.name} ${attempt}`);
  if (address === undefined) throw new AppError("engine_failed", `LXD's network ${name} has no free address.`);
  return address;
}

async function leased(http: LxdHttp, network: string): Promise<string[]> {
  const leases = await http.get<{ address: string }[]>(`/1.0/networks/${network}/leases`);
  return leases.map(({ address }) => address);
}

async function reserved(http: LxdHttp): Promise<string[]> {
  return (await http.get<Instance[]>("/1.0/instances?recursion=1")).flatMap(givenTo);
}
