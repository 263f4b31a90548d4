import { X509Certificate } from "node:crypto";
import { isIP, SocketAddress } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { invalid } from "../errors.ts";

const maxNames = 100;
/** A host with many bridges has many addresses; a certificate names the first ones only. */
const maxAddresses = 64;
const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/**
 * Parses the field `domain_names` of the API: host names and addresses separated by commas, "" for none. Returns them in
 * lower case without duplicates, fit for a certificate. Throws `invalid` naming the first that is neither.
 */
export function parseDomainNames(text: string): string[] {
  if (text === "") return [];
  const names = text.split(",").map((part) => part.replace(/^ +| +$/g, "").toLowerCase());
  for (const name of names) if (!isAddress(name) && !isDomainName(name)) throw invalidName(name);
  const unique = [...new Set(names)];
  if (unique.length > maxNames) throw invalid("domain_names", `must have at most ${maxNames} names`);
  return unique;
}

function invalidName(name: string): Error {
  const shown = name.length > 64 ? `${name.slice(0, 61)}...` : name;
  return invalid("domain_names", `must be host names and addresses separated by commas, not ${JSON.stringify(shown)}`);
}

/** Accepts no address with a zone (`fe80::1%eth0`): a zone has a meaning on one host only. */
function isAddress(name: string): boolean {
  return isIP(name) !== 0 && !name.includes("%");
}

/** Accepts a wildcard as the whole first label, followed by at least two labels. */
function isDomainName(name: string): boolean {
  const labels = (name.startsWith("*.") ? name.slice(2) : name).split(".");
  if (name.length > 253 || !labels.every((part) => label.test(part))) return false;
  if (name.startsWith("*.") && labels.length < 2) return false;
  // A name whose last label is a number would be read as a malformed IPv4 address.
  return !/^\d+$/.test(labels.at(-1) ?? "");
}

/** Lists the names and addresses by which this host can be reached, without link-local IPv6 addresses. */
export function hostNames(): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.toLowerCase().startsWith("fe80:"));
  const own = hostname().toLowerCase();
  const short = own.split(".")[0] ?? "";
  const names = ["localhost", own, short].filter(isDomainName);
  return [...new Set([...names, "127.0.0.1", "::1", ...addresses.slice(0, maxAddresses)])];
}

/** Tells whether a certificate in PEM is valid for all of these names and addresses. */
export function covers(certificate: string, names: readonly string[]): boolean {
  const { subjectAltName = "" } = new X509Certificate(certificate);
  const present = new Set(
    subjectAltName.split(", ").map((entry) => normalize(entry.replace(/^(DNS|IP Address):/, ""))),
  );
  return names.every((name) => present.has(normalize(name)));
}

/** Returns the one spelling of a name or address that comparisons use. */
function normalize(name: string): string {
  return isIP(name) === 6 ? new SocketAddress({ address: name, family: "ipv6" }).address : name.toLowerCase();
}
