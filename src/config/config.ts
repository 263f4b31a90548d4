import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { join } from "node:path";
import { ConfigError } from "./error.ts";
import { helpText } from "./help.ts";
import { type OptionName, type OptionValue, optionTable } from "./options.ts";
import { toOpenvzConfig, type OpenvzConfig } from "./openvz.ts";
import { type Environment, type RawValue, readFile, readFlags, readVariables, type Source } from "./sources.ts";
import type { EngineType } from "../engines/engine.ts";
import type { LogLevel } from "../util/log.ts";

/** All settings of the station. They are checked and frozen before anything starts. */
export interface Config {
  /** Address of the API; port 0 lets the kernel choose. */
  listen: { host: string; port: number };
  /** Absolute path of the folder with the database and everything else that must last. */
  dataDir: string;
  /** Absolute path of the folder with this host's locks and pid files, on a file system that a reboot empties. */
  runDir: string;
  /** Absolute path of each share, by its name. */
  shares: Readonly<Record<string, string>>;
  /** Names of the shares that containers may only read. */
  readOnlyShares: readonly string[];
  /** Engines to use. Undefined: all that are found. */
  engines: readonly EngineType[] | undefined;
  /** Docker's address as `unix:///path` or `tcp://host:port`. Undefined: the usual sockets are probed. */
  docker: string | undefined;
  /** The variable DOCKER_HOST as it is; it is probed before the usual sockets. */
  dockerHost: string | undefined;
  /** Absolute path of LXD's socket. Undefined: the usual sockets are probed. */
  lxdSocket: string | undefined;
  /** Absolute path of the folder of LXC's containers. Undefined: as LXC is configured. */
  lxcPath: string | undefined;
  /** Address of the simplestreams server of LXC's and LXD's images, without a final slash. */
  imageServer: string;
  /** Hosts, as HOST or HOST:PORT, to which the image server may redirect in addition to itself. */
  imageServerHosts: readonly string[];
  /** Undefined: plain HTTP. Without `files` the station's own authority issues the certificate. */
  tls: { files: { certificate: string; key: string } | undefined } | undefined;
  /** Address of the Docker gateway, which serves Docker's API by mutual TLS. Undefined: there is no gateway. */
  dockerTls: { host: string; port: number } | undefined;
  /** Environment variables that name proxies and trusted certificates, for programs that download. */
  proxies: Readonly<Record<string, string>>;
  /** The first admin's password, read from its file or variable. Undefined: the first start makes a random one. */
  adminPassword: string | undefined;
  /** How many tasks of each lane run at the same time; 0: none begins. */
  lanes: { quick: number; heavy: number };
  /** How many tasks may wait or run. */
  maxTasks: number;
  /** What one user who is no admin may have: tasks that wait or run, and bytes of all his tasks: of each its request and 1 KiB. */
  userQuota: { tasks: number; bytes: number };
  /** Names, in addition to the host's own, under which browsers may reach the station. */
  hostNames: readonly string[];
  /** Lets users of the host log in by PAM; members of these groups are admins. Undefined: they may not log in. */
  pam: { adminGroups: readonly string[] } | undefined;
  /** How many wrong passwords are allowed: for one user in a row, and for one network in a minute. */
  loginLimits: { tries: number; perMinute: number };
  /** How many event streams and long polls one user may have open. */
  maxStreams: number;
  /** Settings of the containers-and-jobs API. */
  openvz: OpenvzConfig;
  /** The least grave lines that are written to the log. */
  logLevel: LogLevel;
  /** SQLite's setting: FULL keeps every commit through a power cut; NORMAL may lose the last ones. */
  synchronous: "FULL" | "NORMAL";
  /** True: engines that are missing are installed and started. */
  setup: boolean;
}

/** What the command line asks for: to start the station with this config, or to print a text. */
export type Invocation = { config: Config; text?: never } | { text: string; config?: never };

const defaultFile = "/etc/gantry/config.json";

/**
 * Reads the settings from flags, environment variables and the config file. A flag has precedence over its variable, and
 * that over the file. Throws ConfigError. No other code of the station reads the environment.
 */
export function readConfig(argv: readonly string[], env: Environment): Invocation {
  // npm changes to the package's folder. Relative paths start at the folder in which the user called npm.
  const folder = env["INIT_CWD"] ?? process.cwd();
  const flags = readFlags(argv, folder);
  if (flags["help"]) return { text: helpText() };
  if (flags["version"]) return { text: version() };
  const variables = readVariables(env, folder);
  const explicitFile = resolveValue("config", [flags, variables]);
  const file = readFile(explicitFile ?? defaultFile, explicitFile !== undefined);
  return { config: toConfig([flags, variables, file], env) };
}

function toConfig(sources: readonly Source[], env: Environment): Config {
  const get = <K extends OptionName>(name: K): OptionValue<K> | undefined => resolveValue(name, sources);
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
    readOnlyShares: checkShareNames(shares, get("read-only-share") ?? []),
    engines: get("engines"),
    docker: get("docker"),
    dockerHost: env["DOCKER_HOST"] || undefined,
    lxdSocket: get("lxd"),
    lxcPath: get("lxc-path"),
    imageServer: need("image-server"),
    imageServerHosts: get("image-server-host") ?? Object.freeze([]),
    tls: toTls(need("tls"), get("tls-cert"), get("tls-key")),
    dockerTls: get("docker-tls"),
    proxies: Object.freeze(readProxies(env)),
    adminPassword: get("admin-password-file"),
    lanes: Object.freeze({ quick: need("quick"), heavy: need("heavy") }),
    maxTasks: need("max-tasks"),
    userQuota: Object.freeze({ tasks: need("max-user-tasks"), bytes: need("max-user-megabytes") * 2 ** 20 }),
    hostNames: get("host-name") ?? Object.freeze([]),
    pam: need("pam") ? Object.freeze({ adminGroups }) : undefined,
    loginLimits: Object.freeze({ tries: need("login-tries"), perMinute: need("login-rate") }),
    maxStreams: need("max-streams"),
    openvz: toOpenvzConfig(get("openvz-listen"), need("openvz-auth"), need("openvz-engine"), get("openvz-template")),
    logLevel: need("log-level"),
    synchronous: need("synchronous"),
    setup: !need("no-setup"),
  });
}

function checkShareNames(shares: Config["shares"], names: readonly string[]): readonly string[] {
  const unknown = names.find((name) => !Object.hasOwn(shares, name));
  if (unknown === undefined) return names;
  throw new ConfigError(`--read-only-share names no share: ${unknown}; there are ${Object.keys(shares).join(", ")}.`);
}

function toTls(on: boolean, certificate: string | undefined, key: string | undefined): Config["tls"] {
  if ((certificate === undefined) !== (key === undefined))
    throw new ConfigError("--tls-cert and --tls-key go together.");
  if (!on && certificate !== undefined) throw new ConfigError("--tls-cert and --tls-key go with --tls.");
  if (!on) return undefined;
  const files = certificate !== undefined && key !== undefined ? { certificate, key } : undefined;
  return Object.freeze({ files: files && Object.freeze(files) });
}

const proxyNames = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"];

function readProxies(env: Environment): Record<string, string> {
  const names = proxyNames.flatMap((upper) => [upper, upper.toLowerCase()]);
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

/** Returns an option's value from the first source that has it, or its default. */
function resolveValue<K extends OptionName>(name: K, sources: readonly Source[]): OptionValue<K> | undefined;
function resolveValue(name: OptionName, sources: readonly Source[]): unknown {
  const option = optionTable[name];
  const byDefault: RawValue | undefined =
    option?.default === undefined ? undefined : { texts: [option.default], origin: { name: `--${name}`, folder: "/" } };
  const raw = sources.find((source) => source[name])?.[name] ?? byDefault;
  if (!option || !raw) return undefined;
  const parse = raw.fromVariable ? (option.parseVariable ?? option.parse) : option.parse;
  return parse(raw.texts, raw.origin);
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(findPackageJSON(import.meta.url) ?? "", "utf8"));
  if (typeof manifest !== "object" || manifest === null || !("version" in manifest)) return "unknown";
  return String(manifest.version);
}
