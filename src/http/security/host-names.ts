import { isIP } from "node:net";
import { hostname } from "node:os";
import { AppError } from "../../errors.ts";

/** Names that lead to this host and to no other, whoever answers for the DNS. */
export function ownHostNames(): string[] {
  const full = hostname().toLowerCase();
  const short = full.split(".")[0] ?? full;
  return ["localhost", full, short, `${short}.local`];
}

/** Written without anything that a URL would read as something else: what nearly every request has, without a URL made of it. */
const plain = /^([a-z0-9.-]+)(?::[1-5]?[0-9]{1,4})?$/;

function isPlainlyOwn(host: string, isOwnName: (name: string) => boolean): boolean {
  const name = plain.exec(host)?.[1];
  return name !== undefined && (isIP(name) === 4 || isOwnName(name));
}

/**
 * A page whose name was bound to this host's address is, for a browser, of the same origin as the station: only the name
 * gives it away. Addresses cannot be bound to anything.
 */
export function hostError(host: string | undefined, isOwnName: (name: string) => boolean): AppError | undefined {
  // Only what is older than browsers sends none.
  if (host === undefined || isPlainlyOwn(host, isOwnName)) return undefined;
  // Nothing that would make an address of it, of which the host is only a part.
  const name = /[@/\\?#\s]/.test(host) ? undefined : URL.parse(`http://${host}`)?.hostname.replace(/\.$/, "");
  if (name !== undefined && (isOwnName(name) || isIP(name.replace(/^\[|\]$/g, "")) !== 0)) return undefined;
  const shown = name === undefined || name.length > 64 ? "the name in Host" : `the name ${name}`;
  return new AppError(
    "misdirected",
    `This station is not known by ${shown}: use its address, or start it with --host-name NAME.`,
  );
}
