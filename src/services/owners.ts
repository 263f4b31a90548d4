import type { Container, EngineType } from "../engines/engine.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { TaskStore } from "../storage/task-store.ts";
import type { ContainerLookup, FoundContainer } from "./container-lookup.ts";
import { authorize, type Target, type User, type Verb } from "./policy.ts";
import type { ContainerPlace } from "./services.ts";

/** Whose a container is: the user's whose task made it. One that no task of this station made is an admin's only. */
export interface Owners {
  /** By its present name, or its id. */
  container(type: string, idOrName: string): Promise<Target>;
  /** `asked`: how the caller called it. */
  of(type: string, container: Container | undefined, asked: string): Promise<Target>;
}

export interface OwnerOptions {
  inventory: Inventory;
  tasks: Pick<TaskStore, "ownerOf">;
  /** This station's id. */
  station: string;
}

export function createOwners({ inventory, tasks, station }: OwnerOptions): Owners {
  async function of(type: string, container: Container | undefined, asked: string): Promise<Target> {
    const mark = container?.mark?.station === station ? container.mark : undefined;
    const owner = mark && (await tasks.ownerOf(mark.task));
    return { owner, name: `${type} container ${asked}`, details: { type, id: asked } };
  }
  return {
    of,
    async container(type, idOrName) {
      const view = inventory.view(type as EngineType);
      return of(type, view?.byName(idOrName) ?? view?.byId(idOrName), idOrName);
    },
  };
}

/** A container that this user may do this with, looked up; throws as `authorize` and the lookup. */
export type Permitted = (user: User, verb: Verb, place: ContainerPlace) => Promise<FoundContainer>;

export function createPermitted(lookup: ContainerLookup, owners: Owners): Permitted {
  return async (user, verb, place) => {
    authorize(user, verb);
    const found = await lookup(place);
    if (user.role !== "admin") authorize(user, verb, [await owners.of(place.type, found.container, place.id)]);
    return found;
  };
}
