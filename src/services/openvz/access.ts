import type { Verb } from "../../api/verbs.ts";
import type { Container } from "../../engines/engine.ts";
import { AppError, hasCode } from "../../errors.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { OpenvzContainerRow, OpenvzJobRow, OpenvzStore } from "../../storage/openvz-store.ts";
import type { TaskStore } from "../../storage/task-store.ts";
import type { ContainerLookup } from "../containers/lookup.ts";
import type { Target } from "../kinds/container/target.ts";
import type { Marks } from "../containers/marks.ts";
import { authorize, onlyOf, type User } from "../access/policy.ts";
import { findRecorded, type RecordedContainer } from "./records.ts";
import type { OpenvzEngine } from "./templates.ts";

export interface OpenvzAccessOptions {
  /** The engines and what is known of their containers. */
  inventory: Inventory;
  /** Looks up a container as its engine has it now. */
  lookup: ContainerLookup;
  /** The store of tasks. */
  tasks: Pick<TaskStore, "ownerOf">;
  /** The store of the containers-and-jobs API. */
  openvz: Pick<OpenvzStore, "job">;
  /** Makes and knows the marks of this station's tasks. */
  marks: Marks;
}

/** A container as its engine has it now. */
export interface FoundRecord {
  /** The record of the container. */
  row: OpenvzContainerRow;
  /** The view of its engine. */
  view: EngineView;
  /** The container. */
  container: Container;
  /** The container in the request of a task. */
  target: Target;
}

export type OpenvzAccess = ReturnType<typeof createOpenvzAccess>;

/** Finds containers and jobs as far as a user may see or change them. For other users they do not exist. */
export function createOpenvzAccess({ inventory, lookup, tasks, openvz, marks }: OpenvzAccessOptions) {
  async function recorded(user: User, verb: Verb, row: OpenvzContainerRow | undefined): Promise<RecordedContainer> {
    authorize(user, verb);
    const owner = row && user.role !== "admin" ? await tasks.ownerOf(row.task) : undefined;
    const found = row && findRecorded(inventory, marks, row);
    if (!found) throw noSuchContainer();
    try {
      authorize(user, verb, [{ owner, name: "container", privileged: found.container?.privileged }]);
    } catch (error) {
      throw hasCode(error, "not_found") ? noSuchContainer() : error;
    }
    return found;
  }

  return {
    /** Returns a container as it is known in memory. Throws `not_found` in the documented words. */
    recorded,

    /** Returns a container as its engine has it now. Throws as `recorded`. */
    async container(user: User, verb: Verb, row: OpenvzContainerRow | undefined): Promise<FoundRecord> {
      const found = await recorded(user, verb, row);
      const type = found.row.engine as OpenvzEngine;
      const looked = await lookup({ type, id: found.container?.id ?? found.row.name }).catch((error: unknown) =>
        Promise.reject(hasCode(error, "not_found") ? noSuchContainer() : error),
      );
      if (!marks.isOurs(looked.container.mark, found.row.task)) throw noSuchContainer();
      const { id, name, incarnation } = looked.container;
      return { row: found.row, ...looked, target: { type, id, name, incarnation } };
    },

    async job(user: User, id: string): Promise<OpenvzJobRow> {
      const only = onlyOf(user, "task:list");
      const row = await openvz.job(id);
      if (row && (only === undefined || row.user === only)) return row;
      throw new AppError("not_found", "no such job");
    },
  };
}

function noSuchContainer(): AppError {
  return new AppError("not_found", "no such container");
}
