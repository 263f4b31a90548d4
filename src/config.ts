import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "./config-error.ts";
import { helpText } from "./config-help.ts";
import { type OptionName, type OptionValue, optionTable } from "./config-options.ts";
import { openvzOf, type OpenvzConfig } from "./config-openvz.ts";
import { type Environment, type Given, readFile, readFlags, readVariables, type Source } from "./config-sources.ts";
import type { EngineType } from "./engines/engine.ts";

/** All that can be set from outside. Frozen and checked before anything starts. */
export interface Config {
  listen: { host: string; port: number };
  /** Absolute path. */
  dataDir: string;
  /** Absolute path, on a file system that a reboot empties: locks and pid files of this host. */
  runDir: string;
  /** Name -> absolute path. */
  shares: Readonly<Record<string, string>>;
  /** Names of shares in which nothing may be changed. */
  readOnlyShares: readonly string[];
  /** Absent: all that are found. */
  engines: readonly EngineType[] | undefined;
  /** unix:///path or tcp://host:port. Absent: probed. */
  docker: string | undefined;
  /** DOCKER_HOST as it is, one of the places to probe. */
  dockerHost: string | undefined;
  lxdSocket: string | undefined;
  lxcPath: string | undefined;
  imageServer: string;
  /** Hosts beside its own that the image server may send on to, as HOST or HOST:PORT. */
  imageServerHosts: readonly string[];
  /** Absent: HTTP. Without `files` the certificate is of the station's own authority. */
  tls: { files: { certificate: string; key: string } | undefined } | undefined;
  /** Where Docker's API is served by mutual TLS. Absent: nowhere. */
  dockerTls: { host: string; port: number } | undefined;
  /** Variables that name proxies and certificates, as they are, for programs that fetch. */
  proxies: Readonly<Record<string, string>>;
  /** The password itself, read from its file or the environment. */
  adminPassword: string | undefined;
  lanes: { quick: number; heavy: number };
  /** Tasks that may wait or run. */
  maxTasks: number;
  /** Names beside the host's own by which browsers may reach the station. */
  hostNames: readonly string[];
  /** The host's own users may log in, and members of these groups are admins. Absent: they may not. */
  pam: { adminGroups: readonly string[] } | undefined;
  /** Wrong passwords: of one user in a row, and of one network in a minute. */
  loginLimits: { tries: number; perMinute: number };
  /** Streams and long polls that one user may have open. */
  maxStreams: number;
  /** The containers-and-jobs API. `listen`: a port of its own, where `open` asks nobody who he is. */
  openvz: OpenvzConfig;
  /** How hard the database is about its disk. */
  synchronous: "FULL" | "NORMAL";
  setup: boolean;
}

/** What the command line asks for: the station with this config, or a text to print. */
export type Invocation = { config: Config; text?: never } | { text: string; config?: never };

const defaultFile = "/etc/gantry/config.json";

/** The only reader of the environment. Flags go before variables, those before the config file. Throws ConfigError. */
export function readConfig(argv: readonly string[], env: Environment): Invocation {
  // npm changes into the package's folder; a relative path was typed in another one.
  const folder = env["INIT_CWD"] ?? process.cwd();
  const flags = readFlags(argv, folder);
  if (flags["help"]) return { text: helpText() };
  if (flags["version"]) return { text: version() };
  const variables = readVariables(env, folder);
  const asked = valueOf("config", [flags, variables]);
  const file = readFile(asked ?? defaultFile, asked !== undefined);
  return { config: toConfig([flags, variables, file], env) };
}

function toConfig(sources: readonly Source[], env: Environment): Config {
  const get = <K extends OptionName>(name: K): OptionValue<K> | undefined => valueOf(name, sources);
  const need = <K extends OptionName>(name: K): OptionValue<K> => {
    const value = get(name);
    if (value === undefined) throw new ConfigError(`--${name} is missing.`);
    return value;
  };
  const dataDir = need("data");
  const shares = get("share") ?? Object.freeze({ Public: join(dataDir, "shares", "Public") });
  const adminGroups = need("pam-admin-group");
  return Object.freeze({
    listen: Object.freeze(need("listen")),
    dataDir,
    runDir: need("run"),
    shares,
    readOnlyShares: namesIn(shares, get("read-only-share") ?? []),
    engines: get("engines"),
    docker: get("docker"),
    dockerHost: env["DOCKER_HOST"] || undefined,
    lxdSocket: get("lxd"),
    lxcPath: get("lxc-path"),
    imageServer: need("image-server"),
    imageServerHosts: get("image-server-host") ?? Object.freeze([]),
    tls: tlsOf(need("tls"), get("tls-cert"), get("tls-key")),
    dockerTls: get("docker-tls"),
    proxies: Object.freeze(proxiesOf(env)),
    adminPassword: get("admin-password-file"),
    lanes: Object.freeze({ quick: need("quick"), heavy: need("heavy") }),
    maxTasks: need("max-tasks"),
    hostNames: get("host-name") ?? Object.freeze([]),
    pam: need("pam") ? Object.freeze({ adminGroups }) : undefined,
    loginLimits: Object.freeze({ tries: need("login-tries"), perMinute: need("login-rate") }),
    maxStreams: need("max-streams"),
    openvz: openvzOf(get("openvz-listen"), need("openvz-auth"), need("openvz-engine"), get("openvz-template")),
    synchronous: need("synchronous"),
    setup: !need("no-setup"),
  });
}

function namesIn(shares: Config["shares"], names: readonly string[]): readonly string[] {
  const unknown = names.find((name) => !Object.hasOwn(shares, name));
  if (unknown === undefined) return names;
  throw new ConfigError(`--read-only-share names no share: ${unknown}; there are ${Object.keys(shares).join(", ")}.`);
}

function tlsOf(on: boolean, certificate: string | undefined, key: string | undefined): Config["tls"] {
  if ((certificate === undefined) !== (key === undefined))
    throw new ConfigError("--tls-cert and --tls-key go together.");
  if (!on && certificate !== undefined) throw new ConfigError("--tls-cert and --tls-key go with --tls.");
  if (!on) return undefined;
  const files = certificate !== undefined && key !== undefined ? { certificate, key } : undefined;
  return Object.freeze({ files: files && Object.freeze(files) });
}

const proxyNames = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"];

function proxiesOf(env: Environment): Record<string, string> {
  const names = proxyNames.flatMap((upper) => [upper, upper.toLowerCase()]);
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

/** From the first source that has it, else the default. */
function valueOf<K extends OptionName>(name: K, sources: readonly Source[]): OptionValue<K> | undefined;
function valueOf(name: OptionName, sources: readonly Source[]): unknown {
  const option = optionTable[name];
  const byDefault: Given | undefined =
    option?.default === undefined ? undefined : { texts: [option.default], place: { name: `--${name}`, folder: "/" } };
  const given = sources.find((source) => source[name])?.[name] ?? byDefault;
  if (!option || !given) return undefined;
  const parse = given.variable ? (option.parseVariable ?? option.parse) : option.parse;
  return parse(given.texts, given.place);
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8"));
  if (typeof manifest !== "object" || manifest === null || !("version" in manifest)) return "unknown";
  return String(manifest.version);
}
