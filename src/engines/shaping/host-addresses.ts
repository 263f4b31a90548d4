import { createSocket } from "node:dgram";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { runChild } from "../child.ts";
import { isInside, type Subnet } from "../free-address.ts";

/**
 * Those of these addresses that a container on the bridge cannot have: this host's own, those of its way out and of its
 * name servers, those of another engine's network or containers, and those that somebody in a network of its cards
 * answers for.
 */
export async function usedAround(
  wanted: readonly string[],
  bridge: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const ip = (...argv: string[]): Promise<string> => runChild(["ip", "-4", ...argv], { task: "lxc", signal });
  const own = [...(await ip("-o", "address", "show")).matchAll(/inet ([\d.]+)/g)].map(([, address]) => address);
  const table = await ip("route", "show");
  const taken = new Set([...own, ...gatewaysOf(table), ...(await nameServers())]);
  const routes = routesOf(table);
  const used: string[] = [];
  for (const address of wanted)
    if (taken.has(address) || (await isElsewhere(address, { routes, bridge, signal }))) used.push(address);
  return used;
}

interface Around {
  routes: readonly HostRoute[];
  bridge: string;
  signal: AbortSignal | undefined;
}

async function isElsewhere(address: string, { routes, bridge, signal }: Around): Promise<boolean> {
  const fitting = routes.filter((route) => isInside(route, address));
  const [route] = fitting.toSorted((a, b) => b.length - a.length);
  if (!route || route.device === bridge) return false;
  // What lies behind another host is the administrator's to know.
  if (route.length === 32 || route.far) return route.length === 32;
  return isBridge(route.device) || isAnswered(address, route.device, signal);
}

const isBridge = (device: string): boolean => existsSync(`/sys/class/net/${device}/bridge`);

interface HostRoute extends Subnet {
  device: string;
  /** By another host. */
  far: boolean;
}

/** Of `ip route show`, but for the way out: "10.0.3.0/24 dev lxcbr0 proto kernel", "10.0.0.1 dev lxcbr0 scope link". */
function routesOf(table: string): HostRoute[] {
  const lines = [...table.matchAll(/^(?:\S+ )?([\d.]+)(?:\/(\d+))? (?:(.*) )?dev (\S+)/gm)];
  return lines.map(([, address = "", length = "32", between = "", device = ""]) => {
    return { address, length: Number(length), device, far: between.includes("via ") };
  });
}

function gatewaysOf(table: string): string[] {
  return [...table.matchAll(/\bvia ([\d.]+)/g)].flatMap(([, gateway]) => gateway ?? []);
}

async function nameServers(): Promise<string[]> {
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  return [...text.matchAll(/^nameserver[ \t]+([\d.]+)/gm)].flatMap(([, server]) => server ?? []);
}

/** On a bridge of this host the answer takes no millisecond; of a container that stands still, too. */
const answerWithin = 300;

/** Whether somebody there has it now; a container also while it is paused. */
export async function isAnswered(address: string, device: string, signal?: AbortSignal): Promise<boolean> {
  const ip = (...argv: string[]): Promise<string> => runChild(["ip", "-4", ...argv], { task: "lxc", signal });
  await ip("neigh", "flush", "to", address, "dev", device);
  const socket = createSocket("udp4");
  try {
    // Whatever is sent, this host asks first who has the address. Nothing listens on the port of this service.
    await new Promise((resolve) => socket.send("", 9, address, resolve));
    await delay(answerWithin, undefined, { signal });
    return (await ip("neigh", "show", "to", address, "dev", device)).includes(" lladdr ");
  } finally {
    socket.close();
  }
}
