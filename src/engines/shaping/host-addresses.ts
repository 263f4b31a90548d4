import { createSocket } from "node:dgram";
import { setTimeout as delay } from "node:timers/promises";

import { runChild } from "../child.ts";

/** Without prefix length, of all interfaces. */
export async function hostAddresses(signal: AbortSignal | undefined): Promise<string[]> {
  const text = await runChild(["ip", "-4", "-o", "address", "show"], { task: "lxc", signal });
  return [...text.matchAll(/inet ([\d.]+)/g)].map(([, address]) => address ?? "");
}

/** That this host has a route of their own to, elsewhere than through the bridge: another engine's containers. */
export async function routedElsewhere(bridge: string, signal: AbortSignal | undefined): Promise<string[]> {
  const text = await runChild(["ip", "-4", "route", "show"], { task: "lxc", signal });
  const routes = [...text.matchAll(/^([\d.]+) (?:.* )?dev (\S+)/gm)];
  return routes.flatMap(([, address, device]) => (device === bridge ? [] : (address ?? [])));
}

/** On a bridge of this host the answer takes no millisecond; of a container that stands still, too. */
const answerWithin = 300;

/** Whether somebody on the bridge has it now, running or paused. */
export async function isAnswered(address: string, bridge: string, signal?: AbortSignal): Promise<boolean> {
  const ip = (...argv: string[]): Promise<string> => runChild(["ip", "-4", ...argv], { task: "lxc", signal });
  await ip("neigh", "flush", "to", address, "dev", bridge);
  const socket = createSocket("udp4");
  try {
    // Whatever is sent, this host asks first who has the address. Nothing listens on the port of this service.
    await new Promise((resolve) => socket.send("", 9, address, resolve));
    await delay(answerWithin, undefined, { signal });
    return (await ip("neigh", "show", "to", address, "dev", bridge)).includes(" lladdr ");
  } finally {
    socket.close();
  }
}
