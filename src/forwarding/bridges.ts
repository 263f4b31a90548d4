import { readFile, writeFile } from "node:fs/promises";

import { AppError } from "../errors.ts";

const forwarding = "/proc/sys/net/ipv4/ip_forward";

/** Answers whether it was off. */
export async function enableForwarding(): Promise<boolean> {
  return !(await isOn(forwarding)) && (await turn(forwarding, true));
}

/**
 * Lets connections from 127.0.0.1 of the host go out through the bridge. Only while the guard in the table stands: from
 * outside nothing may come to 127.0.0.1.
 */
export async function allowLoopback(bridge: string, allowed: boolean): Promise<void> {
  const path = `/proc/sys/net/ipv4/conf/${bridge}/route_localnet`;
  if ((await isOn(path)) !== allowed) await turn(path, allowed);
}

/** The kernel has Docker's firewall look into bridges; then it also redirects there, and never back to where it came from. */
export async function redirectsInBridge(bridge: string): Promise<boolean> {
  const all = await isOn("/proc/sys/net/bridge/bridge-nf-call-iptables");
  return all || isOn(`/sys/class/net/${bridge}/bridge/nf_call_iptables`);
}

/** Lets the bridge send back through the card what came from it, so that a container can reach itself. */
export async function allowReturn(card: string): Promise<void> {
  await turn(`/sys/class/net/${card}/brport/hairpin_mode`, true);
}

async function isOn(path: string): Promise<boolean> {
  const text = await readFile(path, "latin1").catch(() => "0");
  return text.trim() !== "0";
}

/** False when there is no such setting: the bridge or the card has gone, and comes with a new one. */
async function turn(path: string, on: boolean): Promise<boolean> {
  try {
    await writeFile(path, on ? "1" : "0", { flag: "r+" });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw new AppError("engine_failed", `The kernel's setting ${path} cannot be changed.`, { cause });
  }
}
