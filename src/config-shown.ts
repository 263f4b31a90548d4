import type { Config } from "./config.ts";

/** What may be shown of the configuration; whatever is not named here stays hidden. */
const shown = [
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
  "openvz",
  "synchronous",
  "setup",
] as const satisfies readonly (keyof Config)[];

/** Without secrets, for a report. */
export function shownConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(shown.map((key) => [key, withoutLogin(config[key])]));
}

/** An address may have a login in it. */
function withoutLogin(value: unknown): unknown {
  return typeof value === "string" ? value.replace(/^(\w+:\/\/)[^/@]*@/, "$1") : value;
}
