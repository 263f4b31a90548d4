import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

import { addressKind, canonicalAddress } from "../util/address-kind.ts";

/** Where the station, or an engine that it tells to, connects to: what may never be reached so, and what is inside. */
export interface Outbound {
  /** The addresses of a host, which may be one; none: its name cannot be resolved in time. */
  addressesOf(host: string): Promise<string[]>;
  /** Whether an address is this host's own, or in a private network. */
  isInside(address: string): boolean;
  /** Whether an address is this host's own. */
  isOwn(address: string): boolean;
  /** Why nobody may send anything there: what is at the place, as "a port of ...". `undefined`: it may be reached. */
  refusal(address: string, port: number): string | undefined;
}

/** Milliseconds. */
const patience = 3_000;
/** Where Docker and LXD listen by their own documents. */
const usualEnginePorts = [2375, 2376, 8443];

/** `ports`: those of this host that the station itself, its Docker gateway and its engines listen on. */
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
      const late = delay(patience, [], { signal: over.signal }).catch(() => []);
      const answers = await Promise.race([found, late]);
      over.abort();
      return answers.map(({ address }) => address);
    },
    refusal(address, port) {
      if (addressKind(address) === "never") return `${address}, which is link-local or set aside`;
      if (isOwn(address) && [...usualEnginePorts, ...ports()].includes(port))
        return `port ${port} of this host, which is the station's or an engine's`;
      return undefined;
    },
  };
}

function ownAddresses(): Set<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => canonicalAddress(address)));
}
