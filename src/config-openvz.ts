import { isIPv4 } from "node:net";
import { ConfigError } from "./config-error.ts";
import type { Option } from "./config-option.ts";
import { one, parseAddress, type Place } from "./config-values.ts";

type Address = { host: string; port: number };

/** Of the containers-and-jobs API. */
export interface OpenvzConfig {
  /** A port of its own. */
  listen: Address | undefined;
  /** There nobody is asked who he is. */
  open: boolean;
  engine: "lxc" | "lxd";
  /** Name -> system image. */
  templates: Readonly<Record<string, string>>;
}

/** Part of the list in config-options.ts. */
export const openvzOptions = {
  "openvz-listen": {
    placeholder: "HOST:PORT",
    variable: "GANTRY_OPENVZ_LISTEN",
    defaultText: "off",
    help: "a further address that serves the containers-and-jobs API (OpenVZ style) only",
    parse: one(parseAddress),
  },
  "openvz-auth": {
    placeholder: "MODE",
    variable: "GANTRY_OPENVZ_AUTH",
    default: "token",
    help: "there: token as everywhere, or none on a loopback address: whoever reaches it is then root of this host",
    parse: one(parseOpenvzAuth),
  },
  "openvz-engine": {
    placeholder: "ENGINE",
    variable: "GANTRY_OPENVZ_ENGINE",
    default: "lxc",
    help: "lxc or lxd: where that API makes containers",
    parse: one(parseOpenvzEngine),
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

export function openvzOf(
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

function parseOpenvzAuth(text: string, place: Place): "token" | "none" {
  if (text === "token" || text === "none") return text;
  throw new ConfigError(`${place.name} must be token or none, not "${text}".`);
}

function parseOpenvzEngine(text: string, place: Place): "lxc" | "lxd" {
  if (text === "lxc" || text === "lxd") return text;
  throw new ConfigError(`${place.name} must be lxc or lxd, not "${text}".`);
}

function parseTemplates(texts: readonly string[], place: Place): Readonly<Record<string, string>> {
  const templates = new Map<string, string>();
  for (const text of texts) {
    const [, name, image] =
      /^([a-zA-Z0-9][a-zA-Z0-9_./:-]{0,127})=([a-z0-9][a-zA-Z0-9_./:-]{0,254})$/.exec(text.trim()) ?? [];
    if (name === undefined || image === undefined)
      throw new ConfigError(`${place.name} must be NAME=IMAGE, as template1=debian-bookworm, not "${text}".`);
    if (templates.has(name)) throw new ConfigError(`${place.name} names the template ${name} twice; leave one out.`);
    templates.set(name, image);
  }
  return Object.freeze(Object.fromEntries(templates));
}
