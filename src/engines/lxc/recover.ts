import { readdir } from "node:fs/promises";

import type { Addresses } from "./network/addresses.ts";
import { exists } from "../../util/exists.ts";
import type { FactsStore } from "./files/container-facts.ts";
import { isContainerName, type Layout } from "./files/layout.ts";
import { finishRenames } from "./lifecycle/rename.ts";
import { createResizing } from "./reshape/resize.ts";
import { runningContainers } from "./process/running-containers.ts";
import type { Staging } from "./files/staging.ts";

interface Deps {
  layout: Layout;
  staging: Staging;
  addresses: Addresses;
  facts: FactsStore;
}

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
  await finishRenames(layout);
  await tidyRoots(deps, station);
}

/** Deletes what was to take the place of a root file system, or had it before. */
async function tidyRoots({ layout, staging, facts }: Deps, station: string): Promise<void> {
  const resizing = createResizing({ layout, staging });
  const running = await runningContainers(layout.path);
  for (const name of (await readdir(layout.path).catch(() => [])).filter(isContainerName)) {
    const owner = (await facts.get(name))?.station?.mark;
    if (owner?.station !== station) continue;
    await resizing.removeLeftovers({ name, owner, task: `${owner.station}/${owner.task}`, running: running.has(name) });
  }
}

/** What stands in the place of a station's id. */
const unmarked = "none";
