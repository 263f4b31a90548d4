import { isIP, isIPv4 } from "node:net";
import type { OpenvzParameters } from "../../api/openvz.ts";
import { isUnicast } from "../../util/addresses/subnet.ts";
import type { Shape } from "../../engines/shape.ts";
import { AppError, invalid } from "../../errors.ts";

/** A change that a map of parameters asks for. */
export interface Change {
  /** The change of the container itself. */
  shape: Shape;
  /** The description, which is kept with the container's record. */
  description?: string;
}

/** The parameter of this API for each field of a shape. */
const names: Readonly<Record<keyof Shape, keyof OpenvzParameters>> = {
  hostname: "hostname",
  cpuTime: "cpus",
  memory: "memsize",
  size: "size",
  addresses: "ipadd",
  nameServers: "nameserver",
};

const most = { addresses: 64, nameServers: 16, characters: 4096, cores: 4096 };
const smallestMemory = 16 << 20;

/** Reads a map of parameters; an empty one asks for nothing. Throws `invalid` naming the parameter. */
export function parseParameters(parameters: OpenvzParameters): Change {
  const empty = Object.entries(parameters).find(([name, text]) => text.trim() === "" && name !== "description");
  if (empty) throw invalid(empty[0], "is missing or empty");
  const { hostname, cpus, ipadd, nameserver, description } = parameters;
  const memory = parseSize(parameters, "memsize");
  const size = parseSize(parameters, "size");
  if (memory !== undefined && memory < smallestMemory) throw invalid("memsize", "must be at least 16M");
  return {
    shape: {
      ...(hostname !== undefined && { hostname: parseHostname(hostname) }),
      ...(cpus !== undefined && { cpuTime: parseCpus(cpus) }),
      ...(memory !== undefined && { memory }),
      ...(size !== undefined && { size }),
      ...(ipadd !== undefined && { addresses: parseAddresses(ipadd) }),
      ...(nameserver !== undefined && { nameServers: parseNameServers(nameserver) }),
    },
    ...(description !== undefined && { description: parseDescription(description) }),
  };
}

/** Returns a shape as parameters of this API. */
export function shapeParameters({ hostname, cpuTime, memory, size, addresses, nameServers }: Shape): OpenvzParameters {
  return {
    ...(hostname !== undefined && { hostname }),
    ...(cpuTime !== undefined && { cpus: String(cpuTime / 1000) }),
    ...(memory !== undefined && sizeParameters("memsize", memory)),
    ...(addresses !== undefined && { ipadd: addresses.join(",") }),
    ...(size !== undefined && sizeParameters("size", size)),
    ...(nameServers !== undefined && { nameserver: nameServers.join(",") }),
  };
}

/** Returns an engine's refusal, which names a field of the shape, with the parameter's name in this API. */
export function translateField(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  const field = error.details?.["field"];
  if (typeof field !== "string" || !Object.hasOwn(names, field)) return error;
  const name = names[field as keyof Shape];
  const rest = error.message.startsWith(`${field} `) ? error.message.slice(field.length) : `: ${error.message}`;
  return new AppError(error.code, `${name}${rest}`, { cause: error.cause, details: { field: name } });
}

/** Reads a host name. The limit of 63 characters is the smallest of all that use it. */
function parseHostname(text: string): string {
  if (
    text.length <= 63 &&
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(text)
  )
    return text;
  throw invalid("hostname", "must be a host name of letters, digits, '-' and '.', at most 63");
}

/** Reads a number of cores. Returns milliseconds of one core in each second. */
function parseCpus(text: string): number {
  const time = /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Math.round(Number(text) * 1000) : Number.NaN;
  if (time >= 10 && time <= most.cores * 1000) return time;
  throw invalid("cpus", `must be a number of cores from 0.01 to ${most.cores}, as 2 or 0.5`);
}

type Sized = "memsize" | "size";

/** Reads a size. Returns bytes. */
function parseSize(parameters: OpenvzParameters, name: Sized): number | undefined {
  const text = parameters[name];
  const units = parameters[`${name}_units`];
  if (text === undefined) {
    if (units !== undefined) throw invalid(name, `is missing or empty: ${name}_units goes with it`);
    return undefined;
  }
  const unit = /^([kmgt])(?:i?b)?$/i.exec(units ?? "M")?.[1]?.toUpperCase();
  if (unit === undefined) throw invalid(`${name}_units`, "must be K, M, G or T");
  const amount = /^\d{1,15}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  const bytes = Math.floor(amount * 1024 ** ("KMGT".indexOf(unit) + 1));
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw invalid(name, "must be a number above 0, as 512 or 1.5");
}

/** Returns a size in the largest unit in which it is a whole number. */
function sizeParameters(name: Sized, bytes: number): OpenvzParameters {
  const power = [4, 3, 2].find((exponent) => bytes % 1024 ** exponent === 0) ?? 1;
  return { [name]: String(bytes / 1024 ** power), [`${name}_units`]: "KMGT".charAt(power - 1) };
}

function parseAddresses(text: string): string[] {
  return list("ipadd", text, most.addresses).map((item) => {
    const [address = "", prefix, ...rest] = item.split("/");
    if (!isIPv4(address))
      throw invalid("ipadd", `must be IPv4 addresses as 10.0.0.1 or 10.0.0.1/24, not ${quoted(item)}`);
    if (!isUnicast(address)) throw invalid("ipadd", `must be addresses that a container can have, not ${address}`);
    if (prefix === undefined) return address;
    if (rest.length > 0 || !/^(?:[89]|[12]\d|3[0-2])$/.test(prefix))
      throw invalid("ipadd", `must have a prefix length from 8 to 32, not ${quoted(item)}`);
    return `${address}/${prefix}`;
  });
}

function parseNameServers(text: string): string[] {
  return list("nameserver", text, most.nameServers).map((item) => {
    if (isIP(item) === 0) throw invalid("nameserver", `must be IP addresses as 1.1.1.1,8.8.8.8, not ${quoted(item)}`);
    return item;
  });
}

function list(name: string, text: string, limit: number): string[] {
  // The text is kept as it came.
  if (text.length > most.characters) throw invalid(name, `must be a text of at most ${most.characters} characters`);
  const items = text.split(",").map((item) => item.trim());
  if (items.length > limit) throw invalid(name, `must have at most ${limit} entries`);
  const twice = items.find((item, index) => items.indexOf(item) !== index);
  if (twice !== undefined) throw invalid(name, `names ${quoted(twice)} twice`);
  return items;
}

function parseDescription(text: string): string {
  if (text.length <= most.characters && !/[^\P{Cc}\t\n]/u.test(text)) return text;
  throw invalid("description", `must be a text of at most ${most.characters} characters`);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
