import type { Container } from "../engines/engine.ts";
import type { TaskStore } from "../storage/task-store.ts";
import type { ContainerLookup, FoundContainer } from "./container-lookup.ts";
import { authorize, type Target, type User, type Verb } from "./policy.ts";
import type { ContainerPlace } from "./services.ts";

/** Whose a container is: the user's whose task made it. One that no task of this station made is an admin's only. */
export interface Owners {
  /** `asked`: how the caller called it. The container must be the very one that the engine will be given the id of. */
  of(type: string, container: Container | undefined, asked: string): Promise<Target>;
}

export interface OwnerOptions {
  tasks: Pick<TaskStore, "ownerOf">;
  /** This station's id. */
  station: string;
}

export function createOwners({ tasks, station }: OwnerOptions): Owners {
  return {
    async of(type, container, asked) {
      const mark = container?.mark?.station === station ? container.mark : undefined;
      const owner = mark && (await tasks.ownerOf(mark.task));
      const privileged = container?.privileged;
      return { owner, name: `${type} container ${asked}`, details: { type, id: asked }, privileged };
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
