import { runChild } from "../../../util/process/run-child.ts";
import { addressSetting } from "../../shared/lxc-config.ts";
import type { GivenAddress } from "../../network/given-addresses.ts";
import { type Settings, settingsOf } from "../files/config-file.ts";

/**
 * Returns the settings for given addresses: those of the card, the way out, and the routes of this host, made anew at
 * each start. Other hooks of the configuration stay.
 */
export function addressSettings(
  config: string,
  given: readonly GivenAddress[],
  { bridge, gateway }: { bridge: string; gateway: string },
): Settings {
  const others = settingsOf(config, hook).filter((line) => routeOf(line) === undefined);
  const routes = given.filter(({ near }) => !near).map(({ address }) => routeHook(address, bridge));
  return {
    "lxc.net.0.ipv4.address": given.map(({ address, length }) => addressSetting(`${address}/${length}`)),
    "lxc.net.0.ipv4.gateway": gateway,
    [hook]: [...others, ...routes],
  };
}

const hook = "lxc.hook.start-host";

/**
 * Returns a hook that makes a route. LXC runs it by a shell and appends words of its own, which `#` makes a comment.
 */
function routeHook(address: string, bridge: string): string {
  return `ip route replace ${address}/32 dev ${bridge} #`;
}

function routeOf(line: string): Route | undefined {
  const [, address, bridge] = /^ip route replace ([\d.]+)\/32 dev (\S+) #$/.exec(line) ?? [];
  return address && bridge ? { address, bridge } : undefined;
}

/** A route of this host to a container's address. */
export interface Route {
  /** Without prefix length; the route is to it alone. */
  address: string;
  /** The bridge of this host that leads there. */
  bridge: string;
}

/** Returns the routes of this host to a container with this configuration. */
export function routesOf(config: string): Route[] {
  return settingsOf(config, hook).flatMap((line) => routeOf(line) ?? []);
}

/** Makes routes, in place of others to the same addresses. Throws as `runChild`. */
export async function addRoutes(routes: readonly Route[], signal?: AbortSignal): Promise<void> {
  for (const { address, bridge } of routes) {
    await runChild(["ip", "route", "replace", `${address}/32`, "dev", bridge], { task: "lxc", signal });
    // The kernel remembers for a while which card had the address before.
    await runChild(["ip", "neigh", "flush", "to", address, "dev", bridge], { task: "lxc" }).catch(() => undefined);
  }
}

/** Removes routes. One that is gone already, perhaps with the bridge, is no failure. */
export async function removeRoutes(routes: readonly Route[]): Promise<void> {
  for (const { address, bridge } of routes) {
    const argv = ["ip", "route", "del", `${address}/32`, "dev", bridge] as const;
    await runChild(argv, { task: "lxc" }).catch(() => undefined);
  }
}
