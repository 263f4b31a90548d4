import { createHash } from "node:crypto";

import ipaddr from "ipaddr.js";
import { plainIpv4 } from "./ipv4.ts";

/** An IPv4 network, by any address in it, such as that of a bridge. */
export interface Subnet {
  /** As 10.0.3.1. */
  address: string;
  /** Length of the prefix, 0 to 32. */
  length: number;
}

/** Classes of addresses of which no host has one of its own. */
const nobodysRanges: readonly string[] = ["unspecified", "loopback", "linkLocal", "multicast", "broadcast"];
const reserved: [ipaddr.IPv4, number] = [ipaddr.IPv4.parse("240.0.0.0"), 4];

/**
 * Returns an address of the network that is not taken; undefined if all are. Which one depends on the seed, so that a
 * container that is made again mostly gets the same.
 */
export function freeAddress(subnet: Subnet, taken: Iterable<string>, seed: string): string | undefined {
  const used = new Set([subnet.address, ...taken]);
  const usable = sizeOf(subnet) - 2;
  const first = createHash("sha256").update(seed).digest().readUInt32BE() % usable;
  for (let step = 0; step < usable; step++) {
    const candidate = addressIn(subnet, 1 + ((first + step) % usable));
    if (!used.has(candidate)) return candidate;
  }
  return undefined;
}

/** Returns whether an address is in the network. */
export function isInside({ address, length }: Subnet, candidate: string): boolean {
  return parse(candidate).match(parse(address), length);
}

/** Returns whether an address is the network's own or its broadcast address; networks of one or two addresses have neither. */
export function isEdge({ length }: Subnet, candidate: string): boolean {
  if (length > 30) return false;
  const edges = [networkOf({ address: candidate, length }), broadcastOf({ address: candidate, length })];
  return edges.includes(plainIpv4(candidate));
}

/** Returns whether a host can have an address: one that is neither any host's own, nor of many, nor of none. */
export function isUnicast(address: string): boolean {
  const parsed = parse(address);
  return !nobodysRanges.includes(parsed.range()) && !parsed.match(reserved);
}

/** Returns the network's broadcast address; networks of one or two addresses have none. */
export function broadcastOf({ address, length }: Subnet): string | undefined {
  return length > 30 ? undefined : ipaddr.IPv4.broadcastAddressFromCIDR(`${plainIpv4(address)}/${length}`).toString();
}

/** Returns whether two networks have addresses in common. */
export function isOverlapping(one: Subnet, other: Subnet): boolean {
  return isInside({ address: one.address, length: Math.min(one.length, other.length) }, other.address);
}

function networkOf({ address, length }: Subnet): string {
  return ipaddr.IPv4.networkAddressFromCIDR(`${plainIpv4(address)}/${length}`).toString();
}

function sizeOf({ length }: Subnet): number {
  return 2 ** (32 - length);
}

/** Returns the address that is `offset` behind the network's own. */
function addressIn(subnet: Subnet, offset: number): string {
  const bytes = Buffer.from(parse(networkOf(subnet)).toByteArray());
  bytes.writeUInt32BE(bytes.readUInt32BE() + offset);
  return bytes.join(".");
}

function parse(address: string): ipaddr.IPv4 {
  return ipaddr.IPv4.parse(plainIpv4(address));
}
