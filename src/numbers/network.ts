import { kernelRouteAddress, prefixLengthOf } from "../util/addresses/ipv4.ts";
import { isInside, type Subnet } from "../util/addresses/subnet.ts";

/** Traffic of a network namespace since it was made, over all interfaces except the loopback. */
export interface Traffic {
  /** Received bytes. */
  rx: number;
  /** Sent bytes. */
  tx: number;
}

/** Parses the text of `/proc/PID/net/dev`. */
export function parseTraffic(text: string): Traffic {
  const traffic = { rx: 0, tx: 0 };
  for (const line of text.split("\n").slice(2)) {
    const colon = line.indexOf(":");
    if (colon === -1 || line.slice(0, colon).trim() === "lo") continue;
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/ +/);
    traffic.rx += Number(fields[0]);
    traffic.tx += Number(fields[8]);
  }
  return traffic;
}

/** Returns the namespace's own IPv4 addresses from the text of `/proc/PID/net/fib_trie`, which lists each in two tables. */
export function parseIpv4Addresses(text: string): string[] {
  const found = new Set<string>();
  for (const [, address = ""] of text.matchAll(/\|-- ([0-9.]+)\n +\/32 host LOCAL/g)) {
    if (!address.startsWith("127.")) found.add(address);
  }
  return [...found];
}

/** Returns the global IPv6 addresses from the text of `/proc/PID/net/if_inet6`: 32 hex digits, ..., scope (00 = global). */
export function parseIpv6Addresses(text: string): string[] {
  const global = text.split("\n").filter((line) => / [0-9a-f]{2} 00 [0-9a-f]{2} /.test(line));
  return global.map((line) => shortenIpv6(line.slice(0, 32)));
}

/** Writes an address of 32 hex digits in its short form (RFC 5952). */
function shortenIpv6(digits: string): string {
  const groups = digits.match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** Puts the addresses of the default route's interface first. `routes` is the text of `/proc/PID/net/route`. */
export function sortByDefaultRoute(addresses: readonly string[], routes: string): string[] {
  const rows = routes.split("\n").map((line) => line.split("\t"));
  const main = rows.find(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000")?.[0];
  const subnets = rows.filter(([name, destination]) => name === main && destination !== "00000000").map(subnetOf);
  const isMain = (address: string): boolean => subnets.some((subnet) => isInside(subnet, address));
  return [...addresses.filter(isMain), ...addresses.filter((address) => !isMain(address))];
}

/** Returns the destination of a row of `/proc/net/route`. */
function subnetOf([, destination = "", , , , , , mask = ""]: readonly string[]): Subnet {
  return { address: kernelRouteAddress(destination), length: prefixLengthOf(kernelRouteAddress(mask)) ?? 32 };
}
