import type { Container, EngineType } from "../../engines/engine.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { ViewListener } from "../../inventory/view-listener.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { OpenvzContainerRow, OpenvzStore } from "../../storage/openvz-store.ts";
import { containerOfTask } from "../containers/find.ts";
import type { Marks } from "../containers/marks.ts";
import type { Log } from "../../util/log.ts";

/** A record with the container that it is of. */
export interface Recorded {
  /** The record. */
  row: OpenvzContainerRow;
  /** The view of its engine; undefined: this station has no such engine now. */
  view: EngineView | undefined;
  /** `undefined`: its engine is away, and nothing is known of it. */
  container: Container | undefined;
}

/**
 * A record is of the container that bears the mark of the task that made both, whatever its name is by now. When its
 * engine answers and has none such, it was removed by another way, and there is no such container here either.
 */
export function findRecorded(inventory: Inventory, marks: Marks, row: OpenvzContainerRow): Recorded | undefined {
  const view = inventory.view(row.engine as EngineType);
  const container = view && containerOfTask(view, marks, row);
  return container || !view?.available() ? { row, view, container } : undefined;
}

export interface RecordSweeperOptions {
  /** The store of the containers-and-jobs API. */
  openvz: Pick<OpenvzStore, "ofTask" | "forget">;
  /** Makes and knows the marks of this station's tasks. */
  marks: Marks;
  /** Is told about failures whose details no client sees. */
  log: Log;
}

/** Drops the records of containers that were removed by another way, as far as the engine itself says so. */
export function createRecordSweeper({ openvz, marks, log }: RecordSweeperOptions): ViewListener {
  return {
    removed(engine, { mark, name }) {
      const sweep = async (): Promise<void> => {
        const row = mark && marks.isOurs(mark, mark.task) ? await openvz.ofTask(mark.task) : undefined;
        if (row?.engine !== engine.type) return;
        // It may only have got another name.
        const left = await engine.containers.list();
        if (!left.some((container) => marks.isOurs(container.mark, row.task))) await openvz.forget(row.id);
      };
      sweep().catch((error: unknown) => log.error("sweep of records", { engine: engine.type, container: name, error }));
    },
  };
}
