import type { Config } from "./config.ts";

/** Settings that a report may contain. All others may hold secrets. */
const visibleKeys = [
  "listen",
  "dataDir",
  "runDir",
  "shares",
  "readOnlyShares",
  "engines",
  "docker",
  "dockerHost",
  "lxdSocket",
  "lxcPath",
  "imageServer",
  "imageServerHosts",
  "tls",
  "dockerTls",
  "lanes",
  "maxTasks",
  "userQuota",
  "openvz",
  "logLevel",
  "synchronous",
  "setup",
] as const satisfies readonly (keyof Config)[];

/** Returns the settings without secrets, for a report. */
export function redactConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(visibleKeys.map((key) => [key, withoutLogin(config[key])]));
}

/** Removes the user and password that an address may contain. */
function withoutLogin(value: unknown): unknown {
  return typeof value === "string" ? value.replace(/^(\w+:\/\/)[^/@]*@/, "$1") : value;
}
