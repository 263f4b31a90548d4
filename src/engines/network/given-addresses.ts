import { isIPv4 } from "node:net";

import { invalid } from "../../errors.ts";
import { isEdge, isInside, isUnicast, type Subnet } from "../../util/addresses/subnet.ts";

/** Addresses that a container was given by its name: on its card by LXC's configuration, with a route where one is needed. */

/** An address of a container. */
export interface GivenAddress {
  /** IPv4, without prefix length. */
  address: string;
  /** Length of the prefix, 8 to 32. */
  length: number;
  /** It is in the bridge's network; to others this host has a route of its own. */
  near: boolean;
}

/** Throws `invalid`, field `addresses`. */
export function parseAddresses(wanted: readonly string[], subnet: Subnet): GivenAddress[] {
  if (wanted.length === 0) throw invalid("addresses", "must name one at least.");
  const given = wanted.map((text) => parseAddress(text, subnet));
  if (new Set(given.map(({ address }) => address)).size < given.length)
    throw invalid("addresses", "must not name one twice.");
  return given;
}

function parseAddress(text: string, subnet: Subnet): GivenAddress {
  const [, address = "", said] = /^([\d.]+)(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  if (!isIPv4(address) || (said !== undefined && (Number(said) < 8 || Number(said) > 32)))
    throw invalid("addresses", `must be IPv4 addresses: ${text.slice(0, 50)} is none.`);
  if (!isUnicast(address)) throw invalid("addresses", `cannot have ${address}.`);
  const near = isInside(subnet, address);
  if (near && isEdge(subnet, address))
    throw invalid("addresses", `cannot have ${address}: it is the bridge's whole network.`);
  const length = said === undefined ? (near ? subnet.length : 32) : Number(said);
  checkPrefix({ address, length }, subnet);
  return { address, length, near };
}

/**
 * Throws `invalid` for a prefix that cannot be. The prefix says whom the container reaches without this host: those of
 * the bridge's network at most, or of a network that is not this host's at all. A network's own and its broadcast
 * address belong to nobody.
 */
function checkPrefix(given: Subnet, bridge: Subnet): void {
  const shown = `${given.address}/${given.length}`;
  if (given.length < bridge.length && isInside(given, bridge.address))
    throw invalid("addresses", `cannot have ${shown}: the bridge's network is a part of that one only.`);
  if (isEdge(given, given.address)) throw invalid("addresses", `cannot have ${shown}: it is a whole network.`);
}
