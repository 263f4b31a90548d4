import type { Snapshot } from "../events.ts";
import type { FactsStore } from "../files/container-facts.ts";
import type { Layout } from "../files/layout.ts";
import type { InitProcesses } from "../process/init-process.ts";
import { runningContainers } from "../process/running-containers.ts";
import { containerNames } from "./find.ts";

interface Deps {
  layout: Layout;
  facts: FactsStore;
  inits: InitProcesses;
}

/**
 * Returns the function that takes the snapshots which the events are made from; `before` is the last one. It throws
 * `engine_unavailable` when LXC's path is gone.
 */
export function createSnapshot({ layout, facts, inits }: Deps) {
  return async function snapshot(before: Snapshot): Promise<Snapshot> {
    const [names, running] = await Promise.all([containerNames(layout), runningContainers(layout.path)]);
    const now = new Map<string, string | undefined>();
    for (const name of names) {
      const run = running.get(name);
      const up = run !== undefined && (before.get(name) === run || (await inits.get(name, run)) > 0);
      if (before.has(name) || (await facts.get(name))) now.set(name, up ? run : undefined);
    }
    return now;
  };
}
