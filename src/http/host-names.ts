import { isIP } from "node:net";
import { hostname } from "node:os";
import { AppError } from "../errors.ts";

/** Names that lead to this host and to no other, whoever answers for the DNS. */
export function ownHostNames(): string[] {
  const full = hostname().toLowerCase();
  const short = full.split(".")[0] ?? full;
  return ["localhost", full, short, `${short}.local`];
}

/**
 * A page whose name was bound to this host's address is, for a browser, of the same origin as the station: only the name
 * gives it away. Addresses cannot be bound to anything.
 */
export function hostError(host: string | undefined, isOwnName: (name: string) => boolean): AppError | undefined {
  // Only what is older than browsers sends none.
  if (host === undefined) return undefined;
  // Nothing that would make an address of it, of which the host is only a part.
  const name = /[@/\\?#\s]/.test(host) ? undefined : URL.parse(`http://${host}`)?.hostname.replace(/\.$/, "");
  if (name !== undefined && (isOwnName(name) || isIP(name.replace(/^\[|\]$/g, "")) !== 0)) return undefined;
  return new AppError(
    "misdirected",
    "This station is not known by that name: use its address, or start it with --host-name.",
  );
}
