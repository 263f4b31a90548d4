import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "./error.ts";
import { type EngineType, engineTypes } from "../engines/engine.ts";
import { logLevels, type LogLevel } from "../util/log.ts";

/** Where a value comes from. */
export interface Origin {
  /** Name for messages, such as `--data`, `GANTRY_DATA` or `"data" in /etc/gantry/config.json`. */
  name: string;
  /** Folder at which relative paths start. */
  folder: string;
}

/** Parses the texts of an option, which are several only for lists. Throws ConfigError. */
export type Parse<T> = (texts: readonly string[], origin: Origin) => T;

/** Makes the parser of an option that takes one text. */
export function single<T>(parse: (text: string, origin: Origin) => T): Parse<T> {
  return (texts, origin) => {
    if (texts.length !== 1) throw new ConfigError(`${origin.name} takes one value, not ${texts.length}.`);
    return parse(texts[0] ?? "", origin);
  };
}

/** Parses HOST:PORT or [IPv6]:PORT. */
export function parseAddress(text: string, origin: Origin): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new ConfigError(`${origin.name} must be HOST:PORT, as 127.0.0.1:8080 or [::1]:8080, not "${text}".`);
  }
  return { host, port };
}

/** Parses a path and returns it as an absolute one. */
export function parsePath(text: string, origin: Origin): string {
  if (text === "" || text.includes("\0")) throw new ConfigError(`${origin.name} must be a path, not "${text}".`);
  return resolve(origin.folder, text);
}

/** Parses a list of NAME=DIR and returns each share's absolute path by its name. */
export function parseShares(texts: readonly string[], origin: Origin): Readonly<Record<string, string>> {
  const shares: Record<string, string> = {};
  for (const text of texts) {
    const cut = text.indexOf("=");
    const name = text.slice(0, cut).trim();
    const folder = text.slice(cut + 1).trim();
    if (cut < 0 || !/^[\p{L}\p{N}_][\p{L}\p{N}_. -]{0,63}$/u.test(name) || folder === "") {
      throw new ConfigError(
        `${origin.name} must be NAME=DIR, the name of letters, digits, ".", "_", "-" and spaces, not "${text}".`,
      );
    }
    if (Object.hasOwn(shares, name))
      throw new ConfigError(`${origin.name} names the share ${name} twice; leave one out.`);
    shares[name] = parsePath(folder, origin);
  }
  return Object.freeze(shares);
}

/** Parses a list of engine types. */
export function parseEngines(texts: readonly string[], origin: Origin): readonly EngineType[] {
  const names = texts.flatMap((text) => text.split(",")).map((name) => name.trim());
  const engines = names.map((name) => {
    const type = engineTypes.find((known) => known === name);
    if (!type) throw new ConfigError(`${origin.name} must list engines of ${engineTypes.join(", ")}, not "${name}".`);
    return type;
  });
  return Object.freeze([...new Set(engines)]);
}

/** Parses a list of host names without ports and returns them in lower case. */
export function parseHostNames(texts: readonly string[], origin: Origin): readonly string[] {
  const names = texts.flatMap((text) => text.split(",")).map((name) => name.trim().toLowerCase());
  const strange = names.find((name) => !/^[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?$/.test(name));
  if (strange !== undefined)
    throw new ConfigError(`${origin.name} must be a host's name as nas.example.com, not "${strange}".`);
  return Object.freeze(names);
}

/** Parses a list of HOST or HOST:PORT. Returns them as URLs have them: in lower case and without the default port. */
export function parseServerHosts(texts: readonly string[], origin: Origin): readonly string[] {
  const hosts = texts
    .flatMap((text) => text.split(","))
    .map((text) => {
      const url = URL.parse(`https://${text.trim()}`);
      if (!url?.host || url.href !== `https://${url.host}/`)
        throw new ConfigError(`${origin.name} must be a host as mirror.example.org, or HOST:PORT, not "${text}".`);
      return url.host;
    });
  return Object.freeze(hosts);
}

/** Parses a list of names of Unix groups. */
export function parseGroups(texts: readonly string[], origin: Origin): readonly string[] {
  const groups = texts.flatMap((text) => text.split(",")).map((name) => name.trim());
  const strange = groups.find((name) => !/^[a-zA-Z_][a-zA-Z0-9_.-]{0,31}$/.test(name));
  if (strange !== undefined) throw new ConfigError(`${origin.name} must be a group of this host, not "${strange}".`);
  return Object.freeze(groups);
}

/** Parses `unix:///path`, a bare path of a socket, or `tcp://HOST:PORT`. Returns the first or the last form. */
export function parseDockerAddress(text: string, origin: Origin): string {
  const path = text.startsWith("unix://") ? text.slice("unix://".length) : text;
  if (path.startsWith("/")) return `unix://${path}`;
  if (text.startsWith("tcp://")) {
    const { host, port } = parseAddress(text.slice("tcp://".length).replace(/\/$/, ""), origin);
    return `tcp://${host.includes(":") ? `[${host}]` : host}:${port}`;
  }
  throw new ConfigError(`${origin.name} must be unix:///path/of/socket or tcp://HOST:PORT, not "${text}".`);
}

/** Parses an address of HTTP or HTTPS without query and fragment. Returns it without a final slash. */
export function parseUrl(text: string, origin: Origin): string {
  const url = URL.parse(text);
  if (!url || !["http:", "https:"].includes(url.protocol) || url.search !== "" || url.hash !== "") {
    throw new ConfigError(`${origin.name} must be an address as https://images.example.org, not "${text}".`);
  }
  return url.href.replace(/\/+$/, "");
}

/** Parses a number from 0 to 9999. */
export function parseLaneWidth(text: string, origin: Origin): number {
  if (!/^\d{1,4}$/.test(text)) throw new ConfigError(`${origin.name} must be a number from 0 to 9999, not "${text}".`);
  return Number(text);
}

/** Parses a number from 1 to 999,999,999. */
export function parsePositive(text: string, origin: Origin): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new ConfigError(`${origin.name} must be a number of at least 1, not "${text}".`);
  return Number(text);
}

/** Parses a level of the log, in any case. */
export function parseLogLevel(text: string, origin: Origin): LogLevel {
  const level = logLevels.find((name) => name === text.toLowerCase());
  if (level) return level;
  throw new ConfigError(
    `${origin.name} must be ${logLevels.join(", ").replace(/, (?=[^,]*$)/, " or ")}, not "${text}".`,
  );
}

/** Parses FULL or NORMAL, in any case. */
export function parseSynchronous(text: string, origin: Origin): "FULL" | "NORMAL" {
  const mode = text.toUpperCase();
  if (mode === "FULL" || mode === "NORMAL") return mode;
  throw new ConfigError(`${origin.name} must be FULL or NORMAL, not "${text}".`);
}

/** Parses true or false, also as 1, yes, on, 0, no and off. */
export function parseBoolean(text: string, origin: Origin): boolean {
  if (["1", "true", "yes", "on"].includes(text.toLowerCase())) return true;
  if (["0", "false", "no", "off"].includes(text.toLowerCase())) return false;
  throw new ConfigError(`${origin.name} must be true or false, not "${text}".`);
}

/** Returns the password in a file, which must not be readable by everyone. */
export function readPasswordFile(text: string, origin: Origin): string {
  const file = parsePath(text, origin);
  let content: string;
  try {
    if ((statSync(file).mode & 0o004) !== 0) {
      throw new ConfigError(`The password file ${file} can be read by everyone; run chmod 600 on it.`);
    }
    content = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`The password file ${file} (${origin.name}) cannot be read; check its path and rights.`, {
      cause: error,
    });
  }
  return parsePassword(content.replace(/\r?\n$/, ""), { ...origin, name: `The password file ${file}` });
}

/** Parses a password: one line that is not empty. */
export function parsePassword(text: string, origin: Origin): string {
  // The value is never repeated: messages end up in logs.
  if (text === "") throw new ConfigError(`${origin.name} is empty; write the admin's password into it.`);
  if (/[\r\n\0]/.test(text)) throw new ConfigError(`${origin.name} must hold the password in one line.`);
  return text;
}
