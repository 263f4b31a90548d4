import { readdir } from "node:fs/promises";

import { invalid } from "../../errors.ts";
import type { Container, Containers, ContainerSpec } from "../engine.ts";
import type { createMaker } from "./create/create.ts";
import type { LxcEvents, Snapshot } from "./events.ts";
import { exists } from "../../util/exists.ts";
import type { ContainerFacts } from "./files/container-facts.ts";
import { cancelled, unavailable } from "./failures.ts";
import { isPrivileged } from "./id-map/id-range.ts";
import { isFrozen } from "./process/init-process.ts";
import { isContainerName, type Layout } from "./files/layout.ts";
import { type ContainerDeps, createLifecycle } from "./lifecycle/lifecycle.ts";
import { isSocketName, runningContainers } from "./process/running-containers.ts";

interface Deps extends ContainerDeps {
  events: LxcEvents;
  make: ReturnType<typeof createMaker>;
}

const lookupsAtOnce = 16;

export function createContainers(deps: Deps): Containers {
  const { layout, facts, inits, events, make } = deps;
  const changed = (id: string): void => events.announce({ resource: "container", action: "update", id });
  const lifecycle = createLifecycle({ ...deps, getById, look: events.refresh, changed });

  async function list(signal?: AbortSignal): Promise<Container[]> {
    if (signal?.aborted) throw cancelled();
    // Who listens first and lists then misses nothing.
    await events.refresh();
    const [names, running] = await Promise.all([containerNames(layout), runningContainers(layout.path)]);
    inits.retain(running);
    facts.retain(new Set(names));
    const queue = names.values();
    const found = new Map<string, Container>();
    async function work(): Promise<void> {
      for (const name of queue) {
        const container = await view(name, running);
        if (container) found.set(name, container);
      }
    }
    await Promise.all(Array.from({ length: lookupsAtOnce }, work));
    if (signal?.aborted) throw cancelled();
    return names.flatMap((name) => found.get(name) ?? []);
  }

  async function getById(name: string, signal?: AbortSignal): Promise<Container | undefined> {
    if (signal?.aborted) throw cancelled();
    await assertThere(layout);
    return isContainerName(name) ? view(name, await runningContainers(layout.path)) : undefined;
  }

  async function view(name: string, running: ReadonlyMap<string, string>): Promise<Container | undefined> {
    const known = await facts.get(name);
    if (!known) return undefined;
    const incarnation = running.get(name);
    const pid = incarnation === undefined ? 0 : await inits.get(name, incarnation);
    return toContainer(name, known, { pid, paused: pid > 0 && (await isFrozen(pid)) });
  }

  async function create(spec: ContainerSpec, signal?: AbortSignal): Promise<string> {
    if (signal?.aborted) throw cancelled();
    if (!isContainerName(spec.name)) throw invalid("name", "must not begin with a dot or contain a slash.");
    if (!isSocketName(layout, spec.name)) throw invalid("name", `is too long for containers in ${layout.path}.`);
    await assertThere(layout);
    await events.refresh();
    await make(spec, signal);
    await events.refresh();
    return spec.name;
  }

  return { list, getById, getByName: getById, create, ...lifecycle };
}

/** What the events compare. */
export function createSnapshot({ layout, facts, inits }: Pick<Deps, "layout" | "facts" | "inits">) {
  return async function snapshot(before: Snapshot): Promise<Snapshot> {
    const [names, running] = await Promise.all([containerNames(layout), runningContainers(layout.path)]);
    const now = new Map<string, string | undefined>();
    for (const name of names) {
      const incarnation = running.get(name);
      const up =
        incarnation !== undefined && (before.get(name) === incarnation || (await inits.get(name, incarnation)) > 0);
      if (before.has(name) || (await facts.get(name))) now.set(name, up ? incarnation : undefined);
    }
    return now;
  };
}

async function containerNames(layout: Layout): Promise<string[]> {
  try {
    const entries = await readdir(layout.path, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() && isContainerName(entry.name) ? entry.name : []));
  } catch (error) {
    throw unavailable(`there is no folder ${layout.path}`, error);
  }
}

export async function assertThere({ path }: Layout): Promise<void> {
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
