import { readdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import type { Addresses } from "./network/addresses.ts";
import { exists } from "../../util/exists.ts";
import type { FactsStore } from "./files/container-facts.ts";
import { isContainerName, type Layout } from "./files/layout.ts";
import { finishRenames } from "./lifecycle/rename.ts";
import { startsUnderWay } from "./process/launch.ts";
import type { InitProcesses } from "./process/init-process.ts";
import { runningContainers } from "./process/running-containers.ts";
import { createResizing } from "./reshape/resize.ts";
import type { Staging } from "./files/staging.ts";

interface Deps {
  layout: Layout;
  staging: Staging;
  addresses: Addresses;
  facts: FactsStore;
  inits: InitProcesses;
}

const pause = 20;
/** LXC's own start takes a second; one that hangs must not keep the station from starting. */
const patience = 20_000;

/**
 * Deletes what a station that was killed was making or deleting, by the staging folders that bear its id, and the address
 * that was reserved for it. What nobody's mark is on, because its container had none, is anybody's to finish.
 */
export async function recover(deps: Deps, station: string): Promise<void> {
  const { layout, staging, addresses } = deps;
  const names = [...(await staging.recover(station)), ...(await staging.recover(unmarked))];
  for (const name of names) {
    if (!(await exists(layout.config(name)))) await addresses.unreserve(name);
  }
  await untilStartsEnd(deps);
  await finishRenames(layout);
  await tidyRoots(deps, station);
}

/**
 * Waits until no container is being started: what the killed station had begun goes on. Before that, a mount that is left
 * cannot be told from one that the start needs.
 */
async function untilStartsEnd({ layout, inits }: Deps): Promise<void> {
  const deadline = performance.now() + patience;
  while (performance.now() < deadline) {
    const running = await runningContainers(layout.path);
    const starting = [...(await startsUnderWay(layout))];
    const up = await Promise.all(starting.map(async (name) => (await inits.get(name, running.get(name) ?? "")) > 0));
    if (up.every(Boolean)) return;
    await delay(pause);
  }
}

/** Deletes what was to take the place of a root file system, or had it before. */
async function tidyRoots({ layout, staging, facts }: Deps, station: string): Promise<void> {
  const resizing = createResizing({ layout, staging });
  for (const name of (await readdir(layout.path).catch(() => [])).filter(isContainerName)) {
    const owner = (await facts.get(name))?.station?.mark;
    if (owner?.station !== station) continue;
    await resizing.removeLeftovers({ name, owner, task: `${owner.station}/${owner.task}` });
  }
}

/** What stands in the place of a station's id. */
const unmarked = "none";
