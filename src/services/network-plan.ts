import { existsSync } from "node:fs";
import type { CreateRequest } from "../api/create.ts";
import type { LanAddress, NetworkMode, PortMapping } from "../engines/engine.ts";
import { invalid } from "../errors.ts";

type Network = NonNullable<CreateRequest["network"]>;
type Bridge = NonNullable<Network["bridge"]>;

/** What the container is connected to. Throws `invalid` for what does not go together. */
export function planNetwork(network: Network, ports: readonly PortMapping[]): NetworkMode {
  const mode = network.mode || "nat";
  if (mode !== "bridge") {
    for (const field of ["interface", "join", "bridge"] as const) {
      if (network[field] !== undefined) throw invalid(`network.${field}`, "goes with network.mode bridge only");
    }
  }
  if (mode !== "nat" && ports.length > 0) {
    throw invalid(
      "network.port",
      `cannot be used with network.mode ${mode}: the container's ports are reachable as they are`,
    );
  }
  if (mode === "nat") return { mode };
  return mode === "host" ? hostNetwork(network) : lanNetwork(network);
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
  const prefix = prefixLength(bridge.netmask ?? "255.255.255.0");
  return {
    by: "static",
    address: `${decimal(bridge.ip)}/${prefix}`,
    ...(bridge.gateway && { gateway: decimal(bridge.gateway) }),
  };
}

/** Without leading zeros, which `ip` takes for octal. */
function decimal(address: string): string {
  return address.split(".").map(Number).join(".");
}

function prefixLength(netmask: string): number {
  const bits = netmask
    .split(".")
    .map((part) => Number(part).toString(2).padStart(8, "0"))
    .join("");
  const prefix = bits.indexOf("0");
  if (prefix === -1) return 32;
  if (bits.slice(prefix).includes("1") || prefix === 0)
    throw invalid("network.bridge.netmask", `is no netmask: ${netmask}`);
  return prefix;
}
