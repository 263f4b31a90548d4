import ipaddr from "ipaddr.js";

/** Returns an IPv4 address without leading zeros, which many programs, and `ipaddr.js`, take for octal. */
export function plainIpv4(address: string): string {
  return address.split(".").map(Number).join(".");
}

/** Returns the length of a netmask's prefix, 24 for 255.255.255.0; undefined if it is no netmask. */
export function prefixLengthOf(netmask: string): number | undefined {
  const plain = plainIpv4(netmask);
  if (!ipaddr.IPv4.isValidFourPartDecimal(plain)) return undefined;
  return ipaddr.IPv4.parse(plain).prefixLengthFromSubnetMask() ?? undefined;
}

/** Returns the netmask of a prefix, 255.255.255.0 for 24. */
export function netmaskOf(length: number): string {
  return ipaddr.IPv4.subnetMaskFromPrefixLength(length).toString();
}

/**
 * Returns an address of `/proc/net/route`: eight hex digits in the host's byte order, which is little-endian on every
 * architecture that Gantry supports.
 */
export function kernelRouteAddress(hex: string): string {
  return new ipaddr.IPv4([...Buffer.from(hex.padStart(8, "0"), "hex")].toReversed()).toString();
}
