import type { EngineType } from "../../engines/engine.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import { createLiveNumbers, type LiveNumbers, type Subject } from "../../numbers/live-numbers.ts";
import { createMeters } from "../../numbers/container-meter.ts";

/** Returns the key of a container's numbers. */
export function numbersKey(type: EngineType, id: string): string {
  return `${type}/${id}`;
}

/** Engines whose control groups have the container's id in their path: see `Subject`. */
const idInGroup: Readonly<Record<EngineType, boolean>> = { docker: true, lxc: false, lxd: false };

/** Makes the meter of the containers that run on this host, by `numbersKey`. `watched` tells whether a stream is open. */
export function createContainerNumbers(inventory: Inventory, watched: () => boolean): LiveNumbers {
  function* runningContainers(): Generator<Subject> {
    for (const view of inventory.views()) {
      const { type, capabilities } = view.engine;
      // Processes of an engine elsewhere are none of this kernel's.
      if (!capabilities.local) continue;
      for (const { id, pid } of view.containers()) {
        if (pid <= 0) continue;
        const onGone = () => void view.refresh(id).catch(() => undefined);
        yield { key: numbersKey(type, id), id, pid, idInGroup: idInGroup[type], onGone };
      }
    }
  }

  return createLiveNumbers({ subjects: runningContainers, open: createMeters(), watched });
}
