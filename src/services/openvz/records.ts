import type { Container, EngineType } from "../../engines/engine.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { ViewListener } from "../../inventory/view-listener.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { OpenvzContainerRow, OpenvzStore } from "../../storage/openvz-store.ts";
import { containerOfTask } from "../containers/find.ts";
import type { Marks } from "../containers/marks.ts";
import type { Log } from "../../util/log.ts";

/** A record with its container. */
export interface RecordedContainer {
  /** The record. */
  row: OpenvzContainerRow;
  /** The view of its engine; undefined: this station has no such engine now. */
  view: EngineView | undefined;
  /** The container; undefined: its engine is away and nothing is known of it. */
  container: Container | undefined;
}

/**
 * Returns a record with its container: the one that bears the mark of the task that made both, whatever its name is by now.
 * Returns undefined if the engine answers and has none: then the container was removed by other means.
 */
export function findRecorded(
  inventory: Inventory,
  marks: Marks,
  row: OpenvzContainerRow,
): RecordedContainer | undefined {
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

/** Drops the records of containers that were removed by other means, if the engine itself says so. */
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
