import { isIPv4 } from "node:net";
import { ConfigError } from "./error.ts";
import type { Option } from "./option.ts";
import { single, parseAddress, type Origin } from "./values.ts";

type Address = { host: string; port: number };

/** Settings of the containers-and-jobs API. */
export interface OpenvzConfig {
  /** A further address that serves this API only. Undefined: there is none. */
  listen: Address | undefined;
  /** True: requests to that address need no authentication and have an admin's rights. */
  open: boolean;
  /** The engine in which this API makes containers. */
  engine: "lxc" | "lxd";
  /** System image of each template, by the template's name. */
  templates: Readonly<Record<string, string>>;
}

/** The options of this API, a part of the table in options.ts. */
export const openvzOptions = {
  "openvz-listen": {
    placeholder: "HOST:PORT",
    variable: "GANTRY_OPENVZ_LISTEN",
    defaultText: "off",
    help: "a further address that serves the containers-and-jobs API (OpenVZ style) only",
    parse: single(parseAddress),
  },
  "openvz-auth": {
    placeholder: "MODE",
    variable: "GANTRY_OPENVZ_AUTH",
    default: "token",
    help: "there: token as everywhere, or none on a loopback address: whoever reaches it is then root of this host",
    parse: single(parseOpenvzAuth),
  },
  "openvz-engine": {
    placeholder: "ENGINE",
    variable: "GANTRY_OPENVZ_ENGINE",
    default: "lxc",
    help: "lxc or lxd: where that API makes containers",
    parse: single(parseOpenvzEngine),
  },
  "openvz-template": {
    placeholder: "NAME=IMAGE",
    variable: "GANTRY_OPENVZ_TEMPLATES",
    defaultText: "none; images go by their own names",
    help: "a name for a system image, as template1=debian-bookworm; can be repeated",
    list: true,
    parse: parseTemplates,
  },
} satisfies Record<string, Option<unknown>>;

/** Combines the options. Throws ConfigError if an address without authentication is not a loopback address. */
export function toOpenvzConfig(
  listen: Address | undefined,
  auth: "token" | "none",
  engine: "lxc" | "lxd",
  templates: OpenvzConfig["templates"] = {},
): OpenvzConfig {
  const open = auth === "none";
  if (open && listen && !isLoopback(listen.host))
    throw new ConfigError(
      `--openvz-auth none makes whoever reaches ${listen.host} root of this host: give --openvz-listen a loopback address, as 127.0.0.1:5000.`,
    );
  return Object.freeze({ listen, open: open && listen !== undefined, engine, templates });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

function parseOpenvzAuth(text: string, origin: Origin): "token" | "none" {
  if (text === "token" || text === "none") return text;
  throw new ConfigError(`${origin.name} must be token or none, not "${text}".`);
}

function parseOpenvzEngine(text: string, origin: Origin): "lxc" | "lxd" {
  if (text === "lxc" || text === "lxd") return text;
  throw new ConfigError(`${origin.name} must be lxc or lxd, not "${text}".`);
}

function parseTemplates(texts: readonly string[], origin: Origin): Readonly<Record<string, string>> {
  const templates = new Map<string, string>();
  for (const text of texts) {
    const [, name, image] =
      /^([a-zA-Z0-9][a-zA-Z0-9_./:-]{0,127})=([a-z0-9][a-zA-Z0-9_./:-]{0,254})$/.exec(text.trim()) ?? [];
    if (name === undefined || image === undefined)
      throw new ConfigError(`${origin.name} must be NAME=IMAGE, as template1=debian-bookworm, not "${text}".`);
    if (templates.has(name)) throw new ConfigError(`${origin.name} names the template ${name} twice; leave one out.`);
    templates.set(name, image);
  }
  return Object.freeze(Object.fromEntries(templates));
}
