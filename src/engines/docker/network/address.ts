import { join } from "node:path";

import { AppError, hasCode } from "../../../errors.ts";
import { prefixLengthOf } from "../../../util/addresses/ipv4.ts";
import { installation } from "../../../util/installation.ts";
import { runChild, type ChildOptions } from "../../../util/process/run-child.ts";
import type { LanPlan } from "../lan-label.ts";

/** A running container, seen from the host. */
export interface LanPort {
  /** Path of its network namespace; good for as long as the handle behind it is open. */
  namespace: string;
  /** The container's name, for sentences. */
  name: string;
  /** How programs are run for it. */
  options: ChildOptions;
}

interface Address {
  /** With prefix length. */
  address: string;
  gateway: string | undefined;
}

/** An address that a DHCP server has given. */
export interface Lease extends Address {
  /** For how long the address was given. */
  seconds: number;
}

/** Discovers are lost on a busy or just joined network (a bridge learns): six, a second apart. */
const attempts = "6";
const leaseScript = join(installation, "src/engines/docker/network/dhcp-lease.sh");

/**
 * Asks the network's DHCP server for an address. Returns undefined when nobody answered and the container has an
 * address, which it keeps; throws `engine_failed` when it has none.
 */
export async function requestLease(port: LanPort, plan: LanPlan): Promise<Lease | undefined> {
  const present = (await presentAddresses(port))[0];
  const ask = ["busybox", "udhcpc", "-i", "eth0", "-f", "-q", "-n", "-t", attempts, "-T", "1", "-s", leaseScript];
  if (present) ask.push("-r", present.split("/")[0] ?? "");
  try {
    return readLease(await inNamespace(port, ask));
  } catch (error) {
    if (!hasCode(error, "engine_failed")) throw error;
    if (present) return undefined;
    const message = `No DHCP server answered container ${port.name} on the network of ${plan.interface}.`;
    throw new AppError("engine_failed", message, { cause: error });
  }
}

function readLease(output: string): Lease {
  const lease = /^lease ip=([\d.]+) mask=([\d.]+) router=([\d.]*) seconds=(\d+)$/m.exec(output);
  const length = lease?.[2]?.includes(".") ? prefixLengthOf(lease[2]) : Number(lease?.[2]);
  if (!lease?.[1] || !length) throw new AppError("engine_failed", "The DHCP client answered no lease.");
  return {
    address: `${lease[1]}/${length}`,
    gateway: lease[3] || undefined,
    seconds: Number(lease[4]),
  };
}

/** Sets the one address of eth0 and the default route; addresses of before are taken away. */
export async function configureAddress(port: LanPort, { address, gateway }: Address): Promise<void> {
  const before = await presentAddresses(port);
  await inNamespace(port, ["ip", "address", "replace", address, "broadcast", "+", "dev", "eth0"]);
  for (const old of before) {
    if (old !== address) await inNamespace(port, ["ip", "address", "delete", old, "dev", "eth0"]);
  }
  if (!before.includes(address)) await announce(port, address);
  if (gateway === undefined) return;
  // onlink: a router outside the prefix is unusual, not wrong.
  await inNamespace(port, ["ip", "route", "replace", "default", "via", gateway, "dev", "eth0", "onlink"]);
}

/**
 * Tells neighbours of the address, which they may still know as an earlier container's. When they do not hear it they
 * find out a little later.
 */
async function announce(port: LanPort, address: string): Promise<void> {
  const arping = ["busybox", "arping", "-A", "-c", "1", "-w", "1", "-I", "eth0", address.split("/")[0] ?? ""];
  await inNamespace(port, arping).catch((error: unknown) => {
    if (!hasCode(error, "engine_failed")) throw error;
  });
}

async function presentAddresses(port: LanPort): Promise<string[]> {
  const output = await inNamespace(port, ["ip", "-json", "-4", "address", "show", "dev", "eth0"]);
  const links = JSON.parse(output || "[]") as { addr_info?: { local: string; prefixlen: number }[] }[];
  return links.flatMap((link) => (link.addr_info ?? []).map(({ local, prefixlen }) => `${local}/${prefixlen}`));
}

/** Runs a program in the container's network namespace and returns what it printed. Throws as `runChild`. */
export function inNamespace(port: LanPort, argv: readonly string[]): Promise<string> {
  return runChild(["nsenter", `--net=${port.namespace}`, "--", ...argv], port.options);
}
