import { readdir } from "node:fs/promises";

import { mapAtOnce } from "../../../util/concurrency.ts";
import { exists } from "../../../util/exists.ts";
import type { Container, Containers } from "../../engine.ts";
import type { LxcEvents } from "../events.ts";
import { cancelled, notFound, unavailable } from "../failures.ts";
import type { ContainerFacts, FactsStore } from "../files/container-facts.ts";
import { isContainerName, type Layout } from "../files/layout.ts";
import { isPrivileged } from "../id-map/id-range.ts";
import { type InitProcesses, isFrozen } from "../process/init-process.ts";
import { runningContainers } from "../process/running-containers.ts";

/** Finds LXC's containers by their folders and their sockets, without asking LXC. */
export interface Finder extends Pick<Containers, "list" | "getById"> {
  /** As `getById`, but throws `not_found` when there is no such container. */
  require(name: string, signal?: AbortSignal): Promise<Container>;
  /** Returns what the files of all containers say, by name. */
  allFacts(): Promise<ReadonlyMap<string, ContainerFacts>>;
}

interface Deps {
  layout: Layout;
  facts: FactsStore;
  inits: InitProcesses;
  events: LxcEvents;
}

const lookupsAtOnce = 16;

/** Returns the finder of the containers below one LXC path. Its calls throw `engine_unavailable` when that path is gone. */
export function createFinder({ layout, facts, inits, events }: Deps): Finder {
  async function list(signal?: AbortSignal): Promise<Container[]> {
    if (signal?.aborted) throw cancelled();
    // A caller that subscribes first and lists then misses nothing.
    await events.refresh();
    const [names, running] = await Promise.all([containerNames(layout), runningContainers(layout.path)]);
    inits.retain(running);
    facts.retain(new Set(names));
    const found = await mapAtOnce(names, lookupsAtOnce, (name) => read(name, running));
    if (signal?.aborted) throw cancelled();
    return found.filter((container) => container !== undefined);
  }

  async function getById(name: string, signal?: AbortSignal): Promise<Container | undefined> {
    if (signal?.aborted) throw cancelled();
    await assertPathExists(layout);
    return isContainerName(name) ? read(name, await runningContainers(layout.path)) : undefined;
  }

  async function read(name: string, running: ReadonlyMap<string, string>): Promise<Container | undefined> {
    const known = await facts.get(name);
    if (!known) return undefined;
    const run = running.get(name);
    const pid = run === undefined ? 0 : await inits.get(name, run);
    return toContainer(name, known, { pid, paused: pid > 0 && (await isFrozen(pid)) });
  }

  async function require(name: string, signal?: AbortSignal): Promise<Container> {
    const container = await getById(name, signal);
    if (!container) throw notFound(name);
    return container;
  }

  async function allFacts(): Promise<Map<string, ContainerFacts>> {
    const found = new Map<string, ContainerFacts>();
    for (const { name } of await list()) {
      const known = await facts.get(name);
      if (known) found.set(name, known);
    }
    return found;
  }

  return { list, getById, require, allFacts };
}

/** Returns the names of the folders that are containers. Throws `engine_unavailable` when LXC's path is gone. */
export async function containerNames(layout: Layout): Promise<string[]> {
  try {
    const entries = await readdir(layout.path, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() && isContainerName(entry.name) ? entry.name : []));
  } catch (error) {
    throw unavailable(`there is no folder ${layout.path}`, error);
  }
}

/** Throws `engine_unavailable` when LXC's path is gone. */
export async function assertPathExists({ path }: Layout): Promise<void> {
  if (!(await exists(path))) throw unavailable(`there is no folder ${path}`);
}

function toContainer(
  name: string,
  { incarnation, station, ran, macs, addresses, idRanges }: ContainerFacts,
  { pid, paused }: { pid: number; paused: boolean },
): Container {
  return {
    id: name,
    incarnation,
    name,
    state: pid > 0 ? "running" : "stopped",
    image: station?.image ?? "",
    imageId: station?.imageId ?? "",
    ...(station && { mark: station.mark }),
    ports: station?.ports ?? [],
    ...(station?.forward && { forward: station.forward }),
    pid,
    ...(pid === 0 && station && ran && { ended: true }),
    ...(paused && { paused }),
    ...(isPrivileged(idRanges) && { privileged: true }),
    mounts: station?.mounts ?? [],
    macs,
    addresses,
  };
}
