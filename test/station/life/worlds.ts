import { engineTypes, type EngineType } from "../../../src/engines/engine.ts";
import { run } from "../../engines/commands.ts";
import { dockerApi, removeContainers } from "../../support/docker-cli.ts";
import { busybox } from "../../support/images.ts";
import { startSystemWorld, type SystemWorld, type SystemWorldOptions } from "../../support/system-station.ts";

export { engineTypes };

/** What a create needs beside the name. */
export const requests = {
  docker: busybox,
  lxc: { type: "lxc", repository: "qnap", image: "ubuntu-bionic", tag: "latest" },
  lxd: { type: "lxd", repository: "lxd", image: "ubuntu", tag: "bionic" },
} as const;

/** As the engine itself says it. `pid` 0 = it does not run. */
export interface Look {
  pid: number;
  paused: boolean;
}

export interface Shown {
  id: string;
  name: string;
  image: string;
  state: string;
  type: string;
}

export interface LifeWorld extends SystemWorld {
  /** Behind the station's back; undefined: it is not there. */
  look(type: EngineType, name: string): Promise<Look | undefined>;
  on(type: EngineType): Verbs;
}

/** The verbs of one container, as a client sends them. */
export type Verbs = ReturnType<typeof verbsOf>;

/** A station with all three engines. Containers of Docker whose name begins with `prefix` are removed at the end. */
export async function startLifeWorld(prefix: string, options: SystemWorldOptions = {}): Promise<LifeWorld> {
  const world = await startSystemWorld(options);
  const looks: Record<EngineType, (name: string) => Promise<Look | undefined>> = {
    docker: lookAtDocker,
    lxc: (name) => lookAtLxc(world, name),
    lxd: (name) => lookAtLxd(world, name),
  };
  return {
    ...world,
    look: (type, name) => looks[type](name),
    on: (type) => verbsOf(world, type),
    async close() {
      await world.close();
      await removeContainers(prefix);
    },
  };
}

async function lookAtDocker(name: string): Promise<Look | undefined> {
  const { State } = await dockerApi<{ State?: { Pid: number; Paused: boolean } }>("GET", `/containers/${name}/json`);
  return State && { pid: State.Pid, paused: State.Paused };
}

async function lookAtLxc(world: SystemWorld, name: string): Promise<Look | undefined> {
  // Not lxc-ls: for a moment it names a removed one, whose socket somebody was still talking to.
  const state = await run("lxc-info", "-P", world.lxc.path, "-n", name, "-sH").catch(orNotThere);
  if (state === undefined) return undefined;
  return { pid: Math.max(0, await world.pid("lxc", name)), paused: state.trim() === "FROZEN" };
}

function orNotThere(error: Error): undefined {
  if (!error.message.includes("doesn't exist")) throw error;
}

async function lookAtLxd(world: SystemWorld, name: string): Promise<Look | undefined> {
  const state = await world.lxd.find<{ pid: number; status: string }>(`/1.0/instances/${name}/state`);
  return state && { pid: Math.max(0, state.pid), paused: state.status === "Frozen" };
}

function verbsOf({ station: { client } }: SystemWorld, type: EngineType) {
  const at = (name: string, rest = "") => `/container/${type}/${name}${rest}`;
  return {
    at,
    create: (name: string, more = {}) => client.ok<Shown>("POST", "/container", { ...requests[type], name, ...more }),
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

/** Names of all containers of LXC and LXD, as they say. */
export async function systemNames(world: SystemWorld): Promise<string[][]> {
  return [await world.names("lxc"), await world.names("lxd")];
}
