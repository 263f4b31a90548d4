import { existsSync } from "node:fs";
import type { CreateRequest } from "../../api/create.ts";
import type { LanAddress, NetworkMode, PortMapping } from "../../engines/container-spec.ts";
import { isEdge, isInside, isUnicast } from "../../util/addresses/subnet.ts";
import { invalid } from "../../errors.ts";
import { plainIpv4, prefixLengthOf } from "../../util/addresses/ipv4.ts";

type Network = NonNullable<CreateRequest["network"]>;
type Bridge = NonNullable<Network["bridge"]>;

/** A network that the request calls by its name. Which one that is, is looked up for those who may have it. */
export interface NamedNetwork {
  /** Always `named`. */
  mode: "named";
  /** The name, as the user gave it. */
  name: string;
  /** Only a bridge of this host can have it. */
  address: LanAddress;
}

export type PlannedNetwork = NetworkMode | NamedNetwork;

/** Docker's own words for a mode; no network that is asked for here. */
const reserved = ["none", "default"];
/** An engine would take it for the id of some other network. */
const idLike = /^[0-9a-f]{12,64}$/;

/** Returns what the container is connected to. Throws `invalid` for what does not go together. */
export function planNetwork(network: Network, ports: readonly PortMapping[]): PlannedNetwork {
  const mode = network.mode || "nat";
  if (reserved.includes(mode)) throw invalid("network.mode", `must not be ${mode}`);
  if (idLike.test(mode)) throw invalid("network.mode", "must be a network's name, and not what looks like an id");
  const isLan = mode === "bridge";
  refuseFields(network, isLan ? [] : ["interface", "join"]);
  if (mode === "nat" || mode === "host") refuseFields(network, ["bridge"]);
  if (mode === "host" || isLan) refusePorts(mode, ports);
  if (mode === "nat") return { mode };
  if (mode === "host") return hostNetwork(network);
  return isLan ? lanNetwork(network) : namedNetwork(mode, network);
}

function refuseFields(network: Network, fields: readonly ("interface" | "join" | "bridge")[]): void {
  const given = fields.find((field) => network[field] !== undefined);
  if (given) throw invalid(`network.${given}`, "goes with network.mode bridge only");
}

/** Throws `invalid` for ports of a container that needs no forwarding. */
export function refusePorts(mode: string, ports: readonly PortMapping[]): void {
  if (ports.length === 0) return;
  const reason = "the container's ports are reachable as they are";
  throw invalid("network.port", `cannot be used with network.mode ${mode}: ${reason}`);
}

function namedNetwork(name: string, { bridge = {} }: Network): NamedNetwork {
  if (bridge.interface) throw invalid("network.bridge.interface", "goes with network.mode bridge only");
  return { mode: "named", name, address: lanAddress(bridge) };
}

function hostNetwork(network: Network): NetworkMode {
  if (network.hostname) throw invalid("network.hostname", "cannot be set with network.mode host");
  if (network.mac_addr) throw invalid("network.mac_addr", "cannot be set with network.mode host");
  return { mode: "host" };
}

/** A bridge named by the page's form is joined; an interface gets a link of the container's own. */
function lanNetwork(network: Network): NetworkMode {
  const { bridge = {} } = network;
  const named = network.interface ?? bridge.interface?.bridge ?? bridge.interface?.name;
  const field = network.interface === undefined && bridge.interface ? "network.bridge.interface" : "network.interface";
  if (named === undefined)
    throw invalid(field, "is missing: network.mode bridge needs a network interface of this host");
  if (!existsSync(`/sys/class/net/${named}`)) throw invalid(field, `is no network interface of this host: ${named}`);
  const isBridge = existsSync(`/sys/class/net/${named}/bridge`);
  if (network.join && !isBridge) throw invalid("network.join", `needs a bridge, and ${named} is none`);
  return { mode: "bridge", interface: named, join: network.join ?? isBridge, address: lanAddress(bridge) };
}

function lanAddress(bridge: Bridge): LanAddress {
  if (bridge.mode !== "static") {
    for (const field of ["ip", "netmask", "gateway"] as const) {
      if (bridge[field] !== undefined)
        throw invalid(`network.bridge.${field}`, "goes with network.bridge.mode static only");
    }
    return { by: "dhcp" };
  }
  if (!bridge.ip) throw invalid("network.bridge.ip", "is missing");
  const length = netmaskLength(bridge.netmask ?? "255.255.255.0");
  const address = hostAddress(bridge.ip, length, "network.bridge.ip");
  if (!bridge.gateway) return { by: "static", address: `${address}/${length}` };
  const gateway = hostAddress(bridge.gateway, 32, "network.bridge.gateway");
  if (gateway === address) throw invalid("network.bridge.gateway", "is the container's own address");
  if (isInside({ address, length }, gateway)) hostAddress(gateway, length, "network.bridge.gateway");
  return { by: "static", address: `${address}/${length}`, gateway };
}

/** Returns the address in one spelling; throws `invalid` for one that no host can have. */
function hostAddress(text: string, length: number, field: string): string {
  const address = plainIpv4(text);
  if (!isUnicast(address)) throw invalid(field, `must be an address that a host can have, not ${address}`);
  if (isEdge({ address, length }, address))
    throw invalid(field, `must not be its network's own or broadcast address: ${address}/${length}`);
  return address;
}

function netmaskLength(netmask: string): number {
  const length = prefixLengthOf(netmask);
  if (!length) throw invalid("network.bridge.netmask", `is no netmask: ${netmask}`);
  return length;
}
