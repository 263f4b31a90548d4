import type { EngineType } from "../engines/engine.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { TaskStore } from "../storage/task-store.ts";
import type { Target } from "./policy.ts";

/** Whose a container is: the user's whose task made it. One that no task of this station made is an admin's only. */
export interface Owners {
  /** By its present name, or its id. */
  container(type: string, idOrName: string): Promise<Target>;
}

export function createOwners({
  inventory,
  tasks,
  station,
}: {
  inventory: Inventory;
  tasks: TaskStore;
  station: string;
}): Owners {
  return {
    async container(type, idOrName) {
      const view = inventory.view(type as EngineType);
      const known = view?.byName(idOrName) ?? [...(view?.containers() ?? [])].find(({ id }) => id === idOrName);
      const mark = known?.mark?.station === station ? known.mark : undefined;
      return { owner: mark && (await tasks.ownerOf(mark.task)), name: `${type} container ${idOrName}` };
    },
  };
}
