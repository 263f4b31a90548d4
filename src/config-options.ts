import type { Parse } from "./config-values.ts";
import {
  one,
  parseAddress,
  parseCap,
  parseDocker,
  parseEngines,
  parseGroups,
  parseHostNames,
  parseLane,
  parseOpenvzAuth,
  parseOpenvzEngine,
  parsePassword,
  parsePath,
  parseShares,
  parseSwitch,
  parseSynchronous,
  parseTemplates,
  parseUrl,
  readPasswordFile,
} from "./config-values.ts";

/** One thing that can be set; its key in `options` is the flag's name and the key in the config file. */
export interface Option<T> {
  /** Absent: the flag takes no value. */
  placeholder?: string;
  variable?: string;
  /** As given on the command line. */
  default?: string;
  /** In place of the default where that is no fixed text. */
  defaultText?: string;
  help: string;
  /** The flag can be repeated, the variable holds a comma-separated list, the config file an array. */
  list?: boolean;
  parse: Parse<T>;
  /** Where the variable holds something else than the flag. */
  parseVariable?: Parse<T>;
}

/** The one list of all that can be set: it drives the flags, the variables, the config file and --help. */
const options = {
  listen: {
    placeholder: "HOST:PORT",
    variable: "GANTRY_LISTEN",
    default: "127.0.0.1:8080",
    help: "address to listen on; port 0 takes a free one",
    parse: one(parseAddress),
  },
  data: {
    placeholder: "DIR",
    variable: "GANTRY_DATA",
    default: "/var/lib/gantry",
    help: "folder of the database and all that must last",
    parse: one(parsePath),
  },
  run: {
    placeholder: "DIR",
    variable: "GANTRY_RUN",
    default: "/run/gantry",
    help: "folder of this host's locks and pid files",
    parse: one(parsePath),
  },
  share: {
    placeholder: "NAME=DIR",
    variable: "GANTRY_SHARES",
    defaultText: "Public=<data>/shares/Public",
    help: "a folder that containers may mount; can be repeated",
    list: true,
    parse: parseShares,
  },
  "read-only-share": {
    placeholder: "NAME",
    variable: "GANTRY_READ_ONLY_SHARES",
    defaultText: "none",
    help: "a share that containers may mount read-only only; can be repeated",
    list: true,
    parse: (names) => Object.freeze([...names]),
  },
  engines: {
    placeholder: "LIST",
    variable: "GANTRY_ENGINES",
    defaultText: "all that are found",
    help: "engines to use, as docker,lxc",
    list: true,
    parse: parseEngines,
  },
  docker: {
    placeholder: "ADDRESS",
    variable: "GANTRY_DOCKER",
    defaultText: "DOCKER_HOST, then the usual sockets",
    help: "Docker's unix:///path or tcp://HOST:PORT",
    parse: one(parseDocker),
  },
  lxd: {
    placeholder: "SOCKET",
    variable: "GANTRY_LXD",
    defaultText: "the usual sockets",
    help: "LXD's socket",
    parse: one(parsePath),
  },
  "lxc-path": {
    placeholder: "DIR",
    variable: "GANTRY_LXC_PATH",
    defaultText: "as LXC is configured",
    help: "folder of the LXC containers",
    parse: one(parsePath),
  },
  "image-server": {
    placeholder: "URL",
    variable: "GANTRY_IMAGE_SERVER",
    default: "https://images.linuxcontainers.org",
    help: "server of LXC and LXD images",
    parse: one(parseUrl),
  },
  tls: {
    variable: "GANTRY_TLS",
    default: "false",
    defaultText: "off",
    help: "serve HTTPS, HTTP/1.1 and 2, in place of HTTP",
    parse: one(parseSwitch),
  },
  "tls-cert": {
    placeholder: "FILE",
    variable: "GANTRY_TLS_CERT",
    defaultText: "a certificate of the station's own authority",
    help: "certificate and chain for --tls, in PEM; read again when it changes",
    parse: one(parsePath),
  },
  "tls-key": {
    placeholder: "FILE",
    variable: "GANTRY_TLS_KEY",
    defaultText: "as --tls-cert",
    help: "its private key, in PEM",
    parse: one(parsePath),
  },
  "docker-tls": {
    placeholder: "HOST:PORT",
    variable: "GANTRY_DOCKER_TLS",
    defaultText: "off",
    help: "Docker's whole API by mutual TLS, for who has the client certificate",
    parse: one(parseAddress),
  },
  "admin-password-file": {
    placeholder: "FILE",
    variable: "GANTRY_ADMIN_PASSWORD",
    defaultText: "at the first start a random one, printed once",
    help: "file with the admin's password; the variable holds the password itself",
    parse: one(readPasswordFile),
    parseVariable: one(parsePassword),
  },
  quick: {
    placeholder: "N",
    variable: "GANTRY_QUICK",
    default: "16",
    help: "tasks of the quick lane at a time; 0 holds it",
    parse: one(parseLane),
  },
  heavy: {
    placeholder: "N",
    variable: "GANTRY_HEAVY",
    default: "4",
    help: "tasks of the heavy lane at a time; 0 holds it",
    parse: one(parseLane),
  },
  "max-tasks": {
    placeholder: "N",
    variable: "GANTRY_MAX_TASKS",
    default: "100000",
    help: "tasks that may wait or run; a further one is refused with 429",
    parse: one(parseCap),
  },
  "host-name": {
    placeholder: "NAME",
    variable: "GANTRY_HOST_NAMES",
    defaultText: "this host's own names, and localhost",
    help: "a further name that browsers may reach the station by; can be repeated",
    list: true,
    parse: parseHostNames,
  },
  pam: {
    variable: "GANTRY_PAM",
    default: "false",
    defaultText: "off",
    help: "let the host's own users log in, by PAM's service gantry; needs the program pamtester",
    parse: one(parseSwitch),
  },
  "pam-admin-group": {
    placeholder: "GROUP",
    variable: "GANTRY_PAM_ADMIN_GROUPS",
    default: "sudo,wheel,root",
    help: "members of this group of the host are admins, its other users viewers; can be repeated",
    list: true,
    parse: parseGroups,
  },
  "login-tries": {
    placeholder: "N",
    variable: "GANTRY_LOGIN_TRIES",
    default: "5",
    help: "wrong passwords of a user before he waits: 1 s, then twice as long each time, 15 minutes at most",
    parse: one(parseCap),
  },
  "login-rate": {
    placeholder: "N",
    variable: "GANTRY_LOGIN_RATE",
    default: "50",
    help: "wrong passwords per minute that one network (/24, /64) may try",
    parse: one(parseCap),
  },
  "max-streams": {
    placeholder: "N",
    variable: "GANTRY_MAX_STREAMS",
    default: "500",
    help: "event streams and waits that one user may have open; a further one is refused with 429",
    parse: one(parseCap),
  },
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
  synchronous: {
    placeholder: "MODE",
    variable: "GANTRY_SYNCHRONOUS",
    default: "FULL",
    help: "FULL: what was answered survives a power cut; NORMAL: faster on slow disks, and the last second may be lost",
    parse: one(parseSynchronous),
  },
  "no-setup": {
    variable: "GANTRY_NO_SETUP",
    default: "false",
    defaultText: "off",
    help: "do not install or start engines that are missing",
    parse: one(parseSwitch),
  },
  config: {
    placeholder: "FILE",
    variable: "GANTRY_CONFIG",
    defaultText: "/etc/gantry/config.json if it exists",
    help: 'JSON file with any of the above, as {"listen": "0.0.0.0:8080"}',
    parse: one(parsePath),
  },
  help: { help: "print this and exit", parse: one(parseSwitch) },
  version: { help: "print the version and exit", parse: one(parseSwitch) },
} satisfies Record<string, Option<unknown>>;

export type OptionName = keyof typeof options;
export type OptionValue<K extends OptionName> = ReturnType<(typeof options)[K]["parse"]>;

/** The same table where its entries need not be told apart. */
export const optionTable: Readonly<Record<string, Option<unknown>>> = options;
