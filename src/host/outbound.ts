import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

import { addressKind, canonicalAddress } from "../util/addresses/address-kind.ts";

/** Judges addresses to which the station, or an engine on its behalf, would connect. */
export interface Outbound {
  /** Resolves a host's name within 3 s. Returns its addresses, or none; an address is returned as it is. */
  addressesOf(host: string): Promise<string[]>;
  /** Tells whether an address is this host's own or in a private network. */
  isInside(address: string): boolean;
  /** Tells whether an address is this host's own. */
  isOwn(address: string): boolean;
  /** Returns what is at a place that must not be reached, such as "port 2375 of this host, ..."; undefined if it may be. */
  refusal(address: string, port: number): string | undefined;
}

/** Milliseconds. */
const lookupTimeout = 3_000;
/** The ports that Docker and LXD use according to their documentation. */
const defaultEnginePorts = [2375, 2376, 8443];

/** Makes the judge. `ports` returns the ports of this host on which the station, its Docker gateway and its engines listen. */
export function createOutbound(ports: () => readonly number[]): Outbound {
  const isOwn = (address: string): boolean =>
    addressKind(address) === "loopback" || ownAddresses().has(canonicalAddress(address));

  return {
    isOwn,
    isInside: (address) => addressKind(address) !== "public" || isOwn(address),
    async addressesOf(host) {
      if (isIP(host) !== 0) return [host];
      const over = new AbortController();
      const found = lookup(host, { all: true }).catch(() => []);
      const late = delay(lookupTimeout, [], { signal: over.signal }).catch(() => []);
      const answers = await Promise.race([found, late]);
      over.abort();
      return answers.map(({ address }) => address);
    },
    refusal(address, port) {
      if (addressKind(address) === "never") return `${address}, which is link-local or set aside`;
      if (isOwn(address) && [...defaultEnginePorts, ...ports()].includes(port))
        return `port ${port} of this host, which is the station's or an engine's`;
      return undefined;
    },
  };
}

function ownAddresses(): Set<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => canonicalAddress(address)));
}
