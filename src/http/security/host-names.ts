import { isIP } from "node:net";
import { hostname } from "node:os";
import { AppError } from "../../errors.ts";

/** Returns the names that mean this host, whatever the DNS says. */
export function ownHostNames(): string[] {
  const full = hostname().toLowerCase();
  const short = full.split(".")[0] ?? full;
  return ["localhost", full, short, `${short}.local`];
}

/**
 * Matches a plain name or IPv4 address with or without a port. Nearly every request has one, and needs no parser of
 * URLs.
 */
const plain = /^([a-z0-9.-]+)(?::[1-5]?[0-9]{1,4})?$/;

function isPlainlyOwn(host: string, isOwnName: (name: string) => boolean): boolean {
  const name = plain.exec(host)?.[1];
  return name !== undefined && (isIP(name) === 4 || isOwnName(name));
}

/**
 * Returns why a request under this host name is refused. Another site can point its own name to this host's address
 * (DNS rebinding); a browser then takes its pages for pages of the station, and only the name tells them apart.
 * Addresses are always allowed.
 */
export function hostError(host: string | undefined, isOwnName: (name: string) => boolean): AppError | undefined {
  // Every browser sends it.
  if (host === undefined || isPlainlyOwn(host, isOwnName)) return undefined;
  // With one of these characters only a part of the text would be the host.
  const name = /[@/\\?#\s]/.test(host) ? undefined : URL.parse(`http://${host}`)?.hostname.replace(/\.$/, "");
  if (name !== undefined && (isOwnName(name) || isIP(name.replace(/^\[|\]$/g, "")) !== 0)) return undefined;
  const shown = name === undefined || name.length > 64 ? "the name in Host" : `the name ${name}`;
  return new AppError(
    "misdirected",
    `This station is not known by ${shown}: use its address, or start it with --host-name NAME.`,
  );
}
