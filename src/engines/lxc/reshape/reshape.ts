import type { Container } from "../../engine.ts";
import type { Reshaping, Shape } from "../../shape.ts";
import type { LxcEvents } from "../events.ts";
import type { FactsStore } from "../files/container-facts.ts";
import type { Layout } from "../files/layout.ts";
import type { Staging } from "../files/staging.ts";
import type { Finder } from "../inspect/find.ts";
import type { LockedChange } from "../lifecycle/locked-change.ts";
import type { Addresses } from "../network/addresses.ts";
import type { ContainerProcess } from "../process/container-process.ts";
import type { RestartMark } from "../process/restart-mark.ts";
import { createApply } from "./apply.ts";
import { setLimits } from "./live-limits.ts";
import { createReshapePlan } from "./plan.ts";
import { readShape } from "./read-shape.ts";
import { createResizing } from "./resize.ts";

interface Deps {
  layout: Layout;
  bridge: string;
  addresses: Addresses;
  facts: FactsStore;
  staging: Staging;
  finder: Finder;
  processes: ContainerProcess;
  restartMark: RestartMark;
  events: LxcEvents;
  change: LockedChange;
}

/** Returns the changes of a container as it is, each under the container's lock. */
export function createReshape(deps: Deps): Reshaping {
  const { layout, addresses, finder, processes, restartMark, events, change } = deps;
  const resizing = createResizing(deps);
  const plan = createReshapePlan({ ...deps, resizing });
  const { applyToFiles, applyToRunning } = createApply({ ...deps, resizing });

  async function planLocked(found: Container, wanted: Shape, signal?: AbortSignal): Promise<{ restarts: boolean }> {
    try {
      const { restarts } = await plan(found, wanted, signal);
      return { restarts };
    } finally {
      addresses.release(found.name);
    }
  }

  async function reshapeLocked(found: Container, wanted: Shape, signal?: AbortSignal): Promise<void> {
    const { name } = found;
    try {
      const planned = await plan(found, wanted, signal);
      const work = { found, change: wanted, plan: planned };
      const live = planned.running && !planned.restarts;
      await resizing.removeLeftovers(planned.subject);
      const putBack = live ? await setLimits(found.pid, wanted) : undefined;
      if (planned.restarts) await restartMark.set(name);
      try {
        if (planned.restarts) await processes.stop(found, { signal });
        await applyToFiles(work, signal);
      } catch (error) {
        await putBack?.();
        throw error;
      } finally {
        // Also what an earlier try has stopped.
        if (await restartMark.isSet(name)) await processes.start(name);
        await restartMark.clear(name);
      }
      if (live) await applyToRunning(work);
    } finally {
      addresses.release(name);
    }
  }

  return {
    async shape(name, signal) {
      await finder.require(name, signal);
      return readShape(layout, name);
    },
    planReshape: (name, wanted, signal) => change(name, signal, (found) => planLocked(found, wanted, signal)),
    async reshape(name, wanted, signal) {
      try {
        await change(name, signal, (found) => reshapeLocked(found, wanted, signal));
      } finally {
        events.announce({ resource: "container", action: "update", id: name });
      }
    },
  };
}
