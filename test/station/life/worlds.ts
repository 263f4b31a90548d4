import type { EngineType } from "../../../src/engines/engine.ts";
import { dockerApi, removeContainers } from "../../support/docker-cli.ts";
import type { TestStation } from "../../support/station.ts";

/** An engine that verbs are tried on, behind the station's back by its own means. */
export interface LifeWorld {
  type: EngineType;
  /** What a create needs beside the name. */
  request: Record<string, unknown>;
  /** Flags of the station. */
  flags: string[];
  /** As the engine itself says it; undefined: it is not there. `pid` 0 = it does not run. */
  look(name: string): Promise<{ pid: number; paused: boolean } | undefined>;
  removeAll(prefix: string): Promise<void>;
}

interface Inspected {
  State?: { Pid: number; Paused: boolean };
}

export async function dockerWorld(): Promise<LifeWorld> {
  return {
    type: "docker",
    request: { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" },
    flags: [],
    async look(name) {
      const { State } = await dockerApi<Inspected>("GET", `/containers/${name}/json`);
      return State && { pid: State.Pid, paused: State.Paused };
    },
    removeAll: removeContainers,
  };
}

export const worlds: Partial<Record<EngineType, () => Promise<LifeWorld>>> = { docker: dockerWorld };

export interface Shown {
  id: string;
  name: string;
  state: string;
  type: string;
}

/** The verbs of one container, as a client sends them. */
export function verbsOf({ client }: TestStation, { type, request }: LifeWorld) {
  const at = (name: string, rest = "") => `/container/${type}/${name}${rest}`;
  return {
    at,
    create: (name: string, more = {}) => client.ok<Shown>("POST", "/container", { ...request, name, ...more }),
    start: (name: string) => client.ok<Shown>("PUT", at(name, "/start")),
    stop: (name: string, timeout = 0) => client.ok<Shown>("PUT", at(name, `/stop?timeout=${timeout}`)),
    restart: (name: string, timeout = 0) => client.ok<Shown>("PUT", at(name, `/restart?timeout=${timeout}`)),
    pause: (name: string) => client.ok<Shown>("POST", at(name, "/pause")),
    unpause: (name: string) => client.ok<Shown>("POST", at(name, "/unpause")),
    rename: (name: string, to: string) => client.ok<Shown>("POST", at(name, "/rename"), { name: to }),
    autostart: (name: string, state: "on" | "off") =>
      client.ok<{ autostart: boolean }>("PUT", at(name, `/autostart/${state}`)),
    all: (name: string) => client.ok<Record<string, unknown>>("GET", at(name, "/all")),
    remove: (name: string, query = "") => client.ok<object>("DELETE", at(name, query)),
  };
}
