import { isIPv4 } from "node:net";

import { invalid } from "../../errors.ts";
import { runChild } from "../child.ts";
import { isEdge, isInside, type Subnet } from "../free-address.ts";
import { type Settings, settingsOf } from "./config-file.ts";

/** Addresses that a container was given by its name: on its card by LXC's configuration, with a route where one is needed. */

export interface GivenAddress {
  address: string;
  length: number;
  /** In the bridge's network; to others this host has a route of its own. */
  near: boolean;
}

/** Throws `invalid`, field `addresses`. */
export function parseAddresses(wanted: readonly string[], subnet: Subnet): GivenAddress[] {
  if (wanted.length === 0) throw invalid("addresses", "must name one at least.");
  const given = wanted.map((text) => parseAddress(text, subnet));
  if (new Set(given.map(({ address }) => address)).size < given.length)
    throw invalid("addresses", "must not name one twice.");
  return given;
}

function parseAddress(text: string, subnet: Subnet): GivenAddress {
  const [, address = "", said] = /^([\d.]+)(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  if (!isIPv4(address) || (said !== undefined && (Number(said) < 1 || Number(said) > 32)))
    throw invalid("addresses", `must be IPv4 addresses: ${text.slice(0, 50)} is none.`);
  const [first = 0] = address.split(".").map(Number);
  if (first === 0 || first === 127 || first >= 224) throw invalid("addresses", `cannot have ${address}.`);
  const near = isInside(subnet, address);
  if (near && isEdge(subnet, address))
    throw invalid("addresses", `cannot have ${address}: it is the bridge's whole network.`);
  return { address, length: said === undefined ? (near ? subnet.length : 32) : Number(said), near };
}

/** Of LXC's configuration: on the card, the way out, and the routes of this host, made anew at each start. */
export function addressSettings(
  config: string,
  given: readonly GivenAddress[],
  { bridge, gateway }: { bridge: string; gateway: string },
): Settings {
  const others = settingsOf(config, hook).filter((line) => routeOf(line) === undefined);
  const routes = given.filter(({ near }) => !near).map(({ address }) => routeHook(address, bridge));
  return {
    "lxc.net.0.ipv4.address": given.map(({ address, length }) => `${address}/${length}`),
    "lxc.net.0.ipv4.gateway": gateway,
    [hook]: [...others, ...routes],
  };
}

const hook = "lxc.hook.start-host";

/** LXC runs it by a shell, and puts words of its own behind it. */
function routeHook(address: string, bridge: string): string {
  return `ip route replace ${address}/32 dev ${bridge} #`;
}

function routeOf(line: string): Route | undefined {
  const [, address, bridge] = /^ip route replace ([\d.]+)\/32 dev (\S+) #$/.exec(line) ?? [];
  return address && bridge ? { address, bridge } : undefined;
}

export interface Route {
  address: string;
  bridge: string;
}

/** Of this host, to a container with this configuration. */
export function routesOf(config: string): Route[] {
  return settingsOf(config, hook).flatMap((line) => routeOf(line) ?? []);
}

export async function addRoutes(routes: readonly Route[], signal?: AbortSignal): Promise<void> {
  for (const { address, bridge } of routes) {
    await runChild(["ip", "route", "replace", `${address}/32`, "dev", bridge], { task: "lxc", signal });
    // Who had the address before is remembered for a while.
    await runChild(["ip", "neigh", "flush", "to", address, "dev", bridge], { task: "lxc" }).catch(() => undefined);
  }
}

/** What is gone already, perhaps with the bridge, is no failure. */
export async function removeRoutes(routes: readonly Route[]): Promise<void> {
  for (const { address, bridge } of routes) {
    const argv = ["ip", "route", "del", `${address}/32`, "dev", bridge] as const;
    await runChild(argv, { task: "lxc" }).catch(() => undefined);
  }
}
