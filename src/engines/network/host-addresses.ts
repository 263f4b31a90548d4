import { createSocket } from "node:dgram";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { runChild } from "../../util/process/run-child.ts";

/**
 * Returns which of these this host has itself, needs for its way out or its names, or leads elsewhere than to the bridge:
 * to be given there they would be lost. Each with who has it, in words.
 */
export async function findHostHolders(
  wanted: readonly string[],
  bridge: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const [own, routes] = await Promise.all([
    ip(["address", "show"], signal, "-o"),
    ip(["route", "show", "table", "all"], signal),
  ]);
  const known: [address: string, holder: string][] = [
    ...(await nameServers()).map((address): [string, string] => [address, "a name server of this host"]),
    ...[...routes.matchAll(/ via ([\d.]+) /g)].map(([, gateway = ""]): [string, string] => [gateway, "a router"]),
    ...[...routes.matchAll(/^(?:broadcast |local )?([\d.]+) (?:.* )?dev (\S+)/gm)].flatMap(
      ([, address = "", device = ""]): [string, string][] =>
        device === bridge ? [] : [[address, `the network of ${device}`]],
    ),
    ...[...own.matchAll(/^\d+: (\S+) +inet ([\d.]+)/gm)].map(([, device = "", address = ""]): [string, string] => [
      address,
      `this host's ${device}`,
    ]),
  ];
  const taken = new Map(known);
  for (const address of wanted) {
    const neighbour = taken.has(address) ? undefined : await neighbourOf(address, bridge, signal);
    if (neighbour !== undefined) taken.set(address, neighbour);
  }
  return taken;
}

async function nameServers(): Promise<string[]> {
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  return [...text.matchAll(/^nameserver[ \t]+([\d.]+)/gm)].map(([, server]) => server ?? "");
}

/**
 * Returns who has an address of another network: one that only this host's own containers are in, or somebody who
 * answers in it.
 */
async function neighbourOf(
  address: string,
  bridge: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  // Nobody is there where no route leads.
  const route = await ip(["route", "get", address], signal).catch(() => "");
  const device = / via /.test(route) ? undefined : /^(?:broadcast )?[\d.]+ dev (\S+)/.exec(route)?.[1];
  if (device === undefined || device === bridge) return undefined;
  const isTaken = (await isInternal(device)) || (await answersArp(address, device, signal));
  return isTaken ? `the network of ${device}` : undefined;
}

const containerPorts = ["veth", "tun", "dummy"];

/** Returns whether a device is a bridge with ports to containers only. Its addresses are another engine's to give. */
export async function isInternal(device: string): Promise<boolean> {
  if (!existsSync(`/sys/class/net/${device}/bridge`)) return false;
  const text = await runChild(["ip", "-d", "-j", "link", "show", "master", device], { task: "lxc" });
  const ports = JSON.parse(text || "[]") as { linkinfo?: { info_kind?: string } }[];
  return ports.every(({ linkinfo }) => containerPorts.includes(linkinfo?.info_kind ?? ""));
}

function ip(argv: readonly string[], signal: AbortSignal | undefined, ...flags: string[]): Promise<string> {
  return runChild(["ip", "-4", ...flags, ...argv], { task: "lxc", signal });
}

/** On a bridge of this host the answer takes no millisecond; of a container that stands still, too. */
const answerWithin = 300;

/**
 * Returns whether somebody on a device's network has the address now, running or paused; cards with one of `macs` do
 * not count.
 */
export async function answersArp(
  address: string,
  device: string,
  signal?: AbortSignal,
  macs: readonly string[] = [],
): Promise<boolean> {
  await ip(["neigh", "flush", "to", address, "dev", device], signal);
  const socket = createSocket("udp4");
  try {
    // Whatever is sent, this host asks first who has the address. Nothing listens on the port of this service.
    await new Promise((resolve) => socket.send("", 9, address, resolve));
    await delay(answerWithin, undefined, { signal });
    const told = await ip(["neigh", "show", "to", address, "dev", device], signal);
    const mac = / lladdr (\S+)/.exec(told)?.[1];
    return mac !== undefined && !macs.includes(mac);
  } finally {
    socket.close();
  }
}
