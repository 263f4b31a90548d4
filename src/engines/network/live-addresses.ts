import { readdir, readFile, readlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { runChild } from "../../util/process/run-child.ts";
import type { GivenAddress } from "./given-addresses.ts";

/** A network card of a running container. */
export interface Card {
  /** The container's first process. */
  pid: number;
  /** As it is called inside. */
  name: string;
  /** The bridge's own address, which is the way out. */
  gateway: string;
}

type Given = Pick<GivenAddress, "address" | "length">;

const pause = 100;
/** Looks one after the other that find nothing to do, where something inside may be changing the card as well. */
const quiet = 5;
const patience = 10_000;
const clientPatience = 2_000;

/**
 * Gives a running container's card these addresses and no others, and the way out. `managed`: a program inside is told of
 * them too, and may take a moment.
 */
export async function setAddresses(card: Card, given: readonly Given[], managed: boolean): Promise<void> {
  await endDhcpClients(card.pid);
  const deadline = performance.now() + patience;
  for (let calm = 0; calm < (managed ? quiet : 1) && performance.now() < deadline;) {
    calm = (await correctAddresses(card, given)) ? 0 : calm + 1;
    if (managed && calm < quiet) await delay(pause);
  }
}

/** Changes what is not as it should be, and returns whether there was something to do. */
async function correctAddresses(card: Card, given: readonly Given[]): Promise<boolean> {
  const wanted = given.map(({ address, length }) => `${address}/${length}`);
  const present = await present4(card);
  const missing = wanted.filter((address) => !present.includes(address));
  const foreign = present.filter((address) => !wanted.includes(address));
  for (const address of missing) await ip(card, "address", "replace", address, "broadcast", "+", "dev", card.name);
  // With the first one of a network the kernel takes the others of it away.
  for (const address of foreign) await ip(card, "address", "del", address, "dev", card.name).catch(() => undefined);
  const routed = (await ip(card, "-4", "route", "show", "default")).includes(`via ${card.gateway} `);
  if (!routed) await ip(card, "route", "replace", "default", "via", card.gateway, "dev", card.name, "onlink");
  return missing.length > 0 || foreign.length > 0 || !routed;
}

async function present4(card: Card): Promise<string[]> {
  const text = await ip(card, "-4", "-o", "address", "show", "dev", card.name);
  return [...text.matchAll(/inet (\S+)/g)].map(([, address = ""]) =>
    address.includes("/") ? address : `${address}/32`,
  );
}

function ip({ pid }: Card, ...args: string[]): Promise<string> {
  return runChild(["nsenter", "-t", String(pid), "--net", "--", "ip", ...args], { task: "lxc" });
}

const dhcpClients = ["udhcpc", "dhclient", "dhcpcd"];

/** Ends the container's DHCP clients, which would take away at their next renewal what their server has not given. */
async function endDhcpClients(init: number): Promise<void> {
  const deadline = performance.now() + clientPatience;
  // One may just be making another of itself, to go on behind the others' back.
  while ((await killDhcpClients(init)) > 0 && performance.now() < deadline) await delay(pause / 5);
}

/** Kills the container's DHCP clients once, and returns how many there were. */
async function killDhcpClients(init: number): Promise<number> {
  const space = (pid: number): Promise<string> => readlink(`/proc/${pid}/ns/pid`).catch(() => "");
  const own = await space(init);
  let met = 0;
  if (own === "") return met;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number)) {
    const name = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim();
    if (!dhcpClients.includes(name) || (await space(pid)) !== own) continue;
    met++;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended meanwhile.
    }
  }
  return met;
}
