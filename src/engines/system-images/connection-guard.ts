import { lookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";

import type { AppError } from "../../errors.ts";
import { addressKind } from "../../util/addresses/address-kind.ts";
import { wrongAnswer } from "./failures.ts";

/** Says what may be connected to. */
export interface AddressJudge {
  /** Returns why nothing is sent to an address; undefined when it may be reached. */
  refusal(address: string, port: number): string | undefined;
  /** Returns whether an address is this host's own or in a private network. */
  isInside(address: string): boolean;
}

/** Knows nothing of this host's ports. */
export const defaultJudge: AddressJudge = {
  refusal: (address) => (addressKind(address) === "never" ? `${address}, which is link-local or set aside` : undefined),
  isInside: (address) => addressKind(address) !== "public",
};

/** Returns how the name of a URL's host is looked up for one connection; throws for an address that is refused. */
export type ConnectionGuard = (url: URL) => LookupFunction;

/**
 * Returns the guard of the connections to one server. It judges the very addresses that a connection is then made to. A
 * server that has been outside leads to nothing inside any more, by a redirect as little as by another answer of its
 * name server.
 */
export function createConnectionGuard(server: string, judge: AddressJudge): ConnectionGuard {
  let outside = false;

  function judged(addresses: readonly string[], port: number): AppError | undefined {
    for (const address of addresses) {
      const refusal = judge.refusal(address, port);
      if (refusal !== undefined) return wrongAnswer(server, `leads to ${refusal}`);
    }
    const inside = addresses.some((address) => judge.isInside(address));
    if (inside && outside) return wrongAnswer(server, "leads from the internet to this host or a private network");
    outside ||= !inside && addresses.length > 0;
    return undefined;
  }

  return (url) => {
    const host = url.hostname.replaceAll(/[[\]]/g, "");
    const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
    const refused = isIP(host) === 0 ? undefined : judged([host], port);
    if (refused) throw refused;
    return (name, options, callback) => {
      lookup(name, { ...options, all: true }, (error, found: LookupAddress[]) => {
        // The name of a proxy, which is an admin's choice, and not the server's.
        const failure =
          error ??
          (name === host
            ? judged(
                found.map(({ address }) => address),
                port,
              )
            : undefined);
        const [first] = found ?? [];
        if (failure) callback(failure, "");
        else if (options.all) callback(null, found);
        else callback(null, first?.address ?? "", first?.family);
      });
    };
  };
}
