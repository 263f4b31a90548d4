import { X509Certificate } from "node:crypto";
import { isIP, SocketAddress } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { invalid } from "../errors.ts";

const maxNames = 100;
/** Addresses of a host with many bridges; the first ones are enough. */
const maxAddresses = 64;
const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/**
 * `domain_names` of the API: names and addresses separated by commas, "" for none. Throws `invalid` naming the first
 * that is neither: what comes out can go into a certificate as it is.
 */
export function parseDomainNames(text: string): string[] {
  if (text === "") return [];
  const names = text.split(",").map((part) => part.replace(/^ +| +$/g, "").toLowerCase());
  for (const name of names) if (!isAddress(name) && !isDomainName(name)) throw refused(name);
  const unique = [...new Set(names)];
  if (unique.length > maxNames) throw invalid("domain_names", `must have at most ${maxNames} names`);
  return unique;
}

function refused(name: string): Error {
  const shown = name.length > 64 ? `${name.slice(0, 61)}...` : name;
  return invalid("domain_names", `must be host names and addresses separated by commas, not ${JSON.stringify(shown)}`);
}

/** Without a zone, which means something on one host only. */
function isAddress(name: string): boolean {
  return isIP(name) !== 0 && !name.includes("%");
}

/** A wildcard stands for the whole first label, above a domain of at least two. */
function isDomainName(name: string): boolean {
  const labels = (name.startsWith("*.") ? name.slice(2) : name).split(".");
  if (name.length > 253 || !labels.every((part) => label.test(part))) return false;
  if (name.startsWith("*.") && labels.length < 2) return false;
  // A last label of digits is an address that is none.
  return !/^\d+$/.test(labels.at(-1) ?? "");
}

/** By which this host can be reached: its name, and its addresses but those that only mean something on one link. */
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

/** Whether the certificate has them all. */
export function covers(certificate: string, names: readonly string[]): boolean {
  const { subjectAltName = "" } = new X509Certificate(certificate);
  const present = new Set(
    subjectAltName.split(", ").map((entry) => canonical(entry.replace(/^(DNS|IP Address):/, ""))),
  );
  return names.every((name) => present.has(canonical(name)));
}

/** One spelling for an IPv6 address. */
function canonical(name: string): string {
  return isIP(name) === 6 ? new SocketAddress({ address: name, family: "ipv6" }).address : name.toLowerCase();
}
