import { isIP } from "node:net";

import ipaddr from "ipaddr.js";

/**
 * The kind of an IP address.
 * - `never`: nothing may be sent there: unspecified, broadcast, multicast and link-local addresses, and those under which
 *   clouds give out the secrets of their machines.
 * - `loopback`: this host.
 * - `private`: a private network, or an address that is reserved for another purpose.
 * - `public`: the internet.
 */
export type AddressKind = "never" | "loopback" | "private" | "public";

/** Metadata services of Alibaba, Oracle, Azure, Amazon and Google, in addition to the link-local 169.254.169.254. */
const metadata = ["100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254"];
const metadataAddresses = new Set(metadata.map((text) => ipaddr.parse(text).toString()));

const kinds: Readonly<Record<string, AddressKind>> = {
  unspecified: "never",
  broadcast: "never",
  multicast: "never",
  linkLocal: "never",
  loopback: "loopback",
  unicast: "public",
};

/** Returns the kind of an IPv4 or IPv6 address in its usual spelling. An IPv6 address that carries an IPv4 one is judged as that. */
export function addressKind(text: string): AddressKind {
  if (isIP(text) === 0) return "never";
  const address = toCarriedIpv4(ipaddr.parse(text));
  const bare = address.toString().split("%")[0] ?? "";
  if (metadataAddresses.has(bare)) return "never";
  // 0.0.0.0/8 is this network; the kernel takes 0.0.0.0 for this host.
  if (address.kind() === "ipv4" && address.toByteArray()[0] === 0) return "never";
  return kinds[address.range()] ?? "private";
}

/** Returns an address in one spelling; an IPv6 address that maps an IPv4 one as that. */
export function canonicalAddress(text: string): string {
  const address = ipaddr.parse(text);
  return toCarriedIpv4(address).toString().split("%")[0] ?? "";
}

function toCarriedIpv4(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (!(address instanceof ipaddr.IPv6)) return address;
  const bytes = address.toByteArray();
  const range = address.range();
  if (range === "ipv4Mapped" || range === "rfc6052" || range === "rfc6145") return new ipaddr.IPv4(bytes.slice(12));
  if (range === "6to4") return new ipaddr.IPv4(bytes.slice(2, 6));
  // The older form ::a.b.c.d; :: and ::1 are addresses of their own.
  const compatible = bytes.slice(0, 12).every((byte) => byte === 0) && bytes.slice(12, 15).some((byte) => byte > 0);
  return compatible ? new ipaddr.IPv4(bytes.slice(12)) : address;
}
