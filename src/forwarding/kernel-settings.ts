import { readFile, writeFile } from "node:fs/promises";

import { AppError } from "../errors.ts";

const ipForward = "/proc/sys/net/ipv4/ip_forward";

/** Enables IPv4 forwarding. Returns true if it was off. */
export async function enableForwarding(): Promise<boolean> {
  return !(await readSetting(ipForward)) && (await writeSetting(ipForward, true));
}

/**
 * Sets `route_localnet`, which lets connections from 127.0.0.1 of the host leave through the bridge. It must be on only
 * while the table's chain guard is in force, which drops packets from the bridge to 127.0.0.1.
 */
export async function allowLoopback(bridge: string, allowed: boolean): Promise<void> {
  const path = `/proc/sys/net/ipv4/conf/${bridge}/route_localnet`;
  if ((await readSetting(path)) !== allowed) await writeSetting(path, allowed);
}

/**
 * Tells whether the kernel applies iptables and nftables to packets within this bridge (br_netfilter, which Docker turns
 * on). Then a packet is also redirected within the bridge.
 */
export async function filtersBridge(bridge: string): Promise<boolean> {
  const all = await readSetting("/proc/sys/net/bridge/bridge-nf-call-iptables");
  return all || readSetting(`/sys/class/net/${bridge}/bridge/nf_call_iptables`);
}

/** Lets the bridge send a packet back through the port that it came from, so that a container can reach itself. */
export async function enableHairpinMode(port: string): Promise<void> {
  await writeSetting(`/sys/class/net/${port}/brport/hairpin_mode`, true);
}

async function readSetting(path: string): Promise<boolean> {
  const text = await readFile(path, "latin1").catch(() => "0");
  return text.trim() !== "0";
}

/** Returns false if there is no such setting: then the bridge or its port is gone. Throws `engine_failed` otherwise. */
async function writeSetting(path: string, on: boolean): Promise<boolean> {
  try {
    await writeFile(path, on ? "1" : "0", { flag: "r+" });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw new AppError("engine_failed", `The kernel's setting ${path} cannot be changed.`, { cause });
  }
}
