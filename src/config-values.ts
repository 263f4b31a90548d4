import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "./config-error.ts";
import { type EngineType, engineTypes } from "./engines/engine.ts";

/** Where a value comes from. */
export interface Place {
  /** For messages: `--data`, `GANTRY_DATA`, `"data" in /etc/gantry/config.json`. */
  name: string;
  /** Relative paths start here. */
  folder: string;
}

/** All texts given for an option (one, but for lists) to its value; throws ConfigError. */
export type Parse<T> = (texts: readonly string[], place: Place) => T;

/** For an option that takes one text. */
export function one<T>(parse: (text: string, place: Place) => T): Parse<T> {
  return (texts, place) => {
    if (texts.length !== 1) throw new ConfigError(`${place.name} takes one value, not ${texts.length}.`);
    return parse(texts[0] ?? "", place);
  };
}

export function parseAddress(text: string, place: Place): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new ConfigError(`${place.name} must be HOST:PORT, as 127.0.0.1:8080 or [::1]:8080, not "${text}".`);
  }
  return { host, port };
}

export function parsePath(text: string, place: Place): string {
  if (text === "" || text.includes("\0")) throw new ConfigError(`${place.name} must be a path, not "${text}".`);
  return resolve(place.folder, text);
}

export function parseShares(texts: readonly string[], place: Place): Readonly<Record<string, string>> {
  const shares: Record<string, string> = {};
  for (const text of texts) {
    const cut = text.indexOf("=");
    const name = text.slice(0, cut).trim();
    const folder = text.slice(cut + 1).trim();
    if (cut < 0 || !/^[\p{L}\p{N}_][\p{L}\p{N}_. -]{0,63}$/u.test(name) || folder === "") {
      throw new ConfigError(
        `${place.name} must be NAME=DIR, the name of letters, digits, ".", "_", "-" and spaces, not "${text}".`,
      );
    }
    if (Object.hasOwn(shares, name))
      throw new ConfigError(`${place.name} names the share ${name} twice; leave one out.`);
    shares[name] = parsePath(folder, place);
  }
  return Object.freeze(shares);
}

export function parseEngines(texts: readonly string[], place: Place): readonly EngineType[] {
  const names = texts.flatMap((text) => text.split(",")).map((name) => name.trim());
  const engines = names.map((name) => {
    const type = engineTypes.find((known) => known === name);
    if (!type) throw new ConfigError(`${place.name} must list engines of ${engineTypes.join(", ")}, not "${name}".`);
    return type;
  });
  return Object.freeze([...new Set(engines)]);
}

/** As a browser sends them: without a port. */
export function parseHostNames(texts: readonly string[], place: Place): readonly string[] {
  const names = texts.flatMap((text) => text.split(",")).map((name) => name.trim().toLowerCase());
  const strange = names.find((name) => !/^[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?$/.test(name));
  if (strange !== undefined)
    throw new ConfigError(`${place.name} must be a host's name as nas.example.com, not "${strange}".`);
  return Object.freeze(names);
}

/** As URLs have them: in small letters, with a port where it is not the usual one. */
export function parseServerHosts(texts: readonly string[], place: Place): readonly string[] {
  const hosts = texts
    .flatMap((text) => text.split(","))
    .map((text) => {
      const url = URL.parse(`https://${text.trim()}`);
      if (!url?.host || url.href !== `https://${url.host}/`)
        throw new ConfigError(`${place.name} must be a host as mirror.example.org, or HOST:PORT, not "${text}".`);
      return url.host;
    });
  return Object.freeze(hosts);
}

export function parseGroups(texts: readonly string[], place: Place): readonly string[] {
  const groups = texts.flatMap((text) => text.split(",")).map((name) => name.trim());
  const strange = groups.find((name) => !/^[a-zA-Z_][a-zA-Z0-9_.-]{0,31}$/.test(name));
  if (strange !== undefined) throw new ConfigError(`${place.name} must be a group of this host, not "${strange}".`);
  return Object.freeze(groups);
}

/** A socket's path may be given bare. */
export function parseDocker(text: string, place: Place): string {
  const path = text.startsWith("unix://") ? text.slice("unix://".length) : text;
  if (path.startsWith("/")) return `unix://${path}`;
  if (text.startsWith("tcp://")) {
    const { host, port } = parseAddress(text.slice("tcp://".length).replace(/\/$/, ""), place);
    return `tcp://${host.includes(":") ? `[${host}]` : host}:${port}`;
  }
  throw new ConfigError(`${place.name} must be unix:///path/of/socket or tcp://HOST:PORT, not "${text}".`);
}

export function parseUrl(text: string, place: Place): string {
  const url = URL.parse(text);
  if (!url || !["http:", "https:"].includes(url.protocol) || url.search !== "" || url.hash !== "") {
    throw new ConfigError(`${place.name} must be an address as https://images.example.org, not "${text}".`);
  }
  return url.href.replace(/\/+$/, "");
}

export function parseLane(text: string, place: Place): number {
  if (!/^\d{1,4}$/.test(text)) throw new ConfigError(`${place.name} must be a number from 0 to 9999, not "${text}".`);
  return Number(text);
}

export function parseCap(text: string, place: Place): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new ConfigError(`${place.name} must be a number of at least 1, not "${text}".`);
  return Number(text);
}

export function parseSynchronous(text: string, place: Place): "FULL" | "NORMAL" {
  const mode = text.toUpperCase();
  if (mode === "FULL" || mode === "NORMAL") return mode;
  throw new ConfigError(`${place.name} must be FULL or NORMAL, not "${text}".`);
}

export function parseSwitch(text: string, place: Place): boolean {
  if (["1", "true", "yes", "on"].includes(text.toLowerCase())) return true;
  if (["0", "false", "no", "off"].includes(text.toLowerCase())) return false;
  throw new ConfigError(`${place.name} must be true or false, not "${text}".`);
}

/** Answers the password in the file. */
export function readPasswordFile(text: string, place: Place): string {
  const file = parsePath(text, place);
  let content: string;
  try {
    if ((statSync(file).mode & 0o004) !== 0) {
      throw new ConfigError(`The password file ${file} can be read by everyone; run chmod 600 on it.`);
    }
    content = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`The password file ${file} (${place.name}) cannot be read; check its path and rights.`, {
      cause: error,
    });
  }
  return parsePassword(content.replace(/\r?\n$/, ""), { ...place, name: `The password file ${file}` });
}

export function parsePassword(text: string, place: Place): string {
  // The value is never repeated: messages end up in logs.
  if (text === "") throw new ConfigError(`${place.name} is empty; write the admin's password into it.`);
  if (/[\r\n\0]/.test(text)) throw new ConfigError(`${place.name} must hold the password in one line.`);
  return text;
}
