import type { Container } from "../../engines/engine.ts";
import type { TaskStore } from "../../storage/task-store.ts";
import type { Target } from "./policy.ts";

/** Whose a container is: the user's whose task made it. One that no task of this station made is an admin's only. */
export interface Owners {
  /** `asked`: how the caller called it. The container must be the very one that the engine will be given the id of. */
  of(type: string, container: Container | undefined, asked: string): Promise<Target>;
}

export interface OwnerOptions {
  /** The store of tasks. */
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
