import { isIP } from "node:net";

import ipaddr from "ipaddr.js";

/**
 * Returns the /24 or /64 of an address, as 192.0.2.0/24 or 2001:db8:0:0::/64: who has one address of it has them all. What
 * is no address is returned as it is.
 */
export function sourceNetwork(address: string): string {
  const plain = address.replace(/%.*$/, "");
  if (isIP(plain) === 0) return plain;
  const parsed = ipaddr.process(plain);
  if (parsed instanceof ipaddr.IPv4)
    return `${ipaddr.IPv4.networkAddressFromCIDR(`${parsed.toString()}/24`).toString()}/24`;
  const groups = parsed.parts.slice(0, 4).map((group) => group.toString(16));
  return `${groups.join(":")}::/64`;
}
