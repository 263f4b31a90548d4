import type { Containers } from "../../engine.ts";
import { type Inspected, requireContainer } from "../client/container.ts";
import type { DockerHttp } from "../client/http.ts";
import { readLogs } from "./logs.ts";
import { readSettings } from "./settings.ts";

/** Returns what can be read of a container beside its state. The calls throw `not_found`. */
export function createInspect(http: DockerHttp): Pick<Containers, "settings" | "logs" | "inspect"> {
  return {
    settings: (id, signal) => readSettings(http, id, signal),
    logs: (id, lines, signal) => readLogs(http, id, lines, signal),
    inspect: async (id, signal) => withBinds(await requireContainer(http, id, signal)),
  };
}

/**
 * Returns an inspect for a person. Folders of the host are given as mounts; whoever reads an inspect looks for them at their
 * older place, `HostConfig.Binds`.
 */
function withBinds(inspected: Inspected): Record<string, unknown> {
  const { HostConfig, Mounts } = inspected;
  const bound = (Mounts ?? []).filter(({ Type }) => Type === "bind");
  if (HostConfig.Binds || bound.length === 0) return { ...inspected };
  const binds = bound.map(({ Source, Destination, RW }) => `${Source}:${Destination}:${RW ? "rw" : "ro"}`);
  return { ...inspected, HostConfig: { ...HostConfig, Binds: binds } };
}
