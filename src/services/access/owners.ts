import type { Container } from "../../engines/engine.ts";
import type { TaskStore } from "../../storage/task-store.ts";
import type { Target } from "./policy.ts";

/** Tells whose a container is: it belongs to the user whose task made it. Only admins may use those of no task. */
export interface Owners {
  /**
   * Returns the container as the policy sees it. `asked` is what the caller calls it. The engine must be given this
   * container's id.
   */
  of(type: string, container: Container | undefined, asked: string): Promise<Target>;
}

export interface OwnerOptions {
  /** The store of tasks. */
  tasks: Pick<TaskStore, "ownerOf">;
  /** This station's id. */
  station: string;
}

/** Makes the functions that return the owner of a container, from the marks of containers and the tasks of the store. */
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
