import type { DatabaseSync } from "node:sqlite";
import type { TaskRow, TaskVerbs } from "../../task-store.ts";
import type { TaskRecords } from "./audit.ts";

/** What the event and the audit entry of a change need. */
export const endColumns = "id, kind, name, user, address, result";
export type EndRow = TaskRow & { address: string };

/** Deletes the locks and steps of a task, and its port claims unless they are kept. */
export type Release = (id: number, options: { keepClaims: boolean }) => void;

/** Makes the function that releases what a task holds. */
export function createRelease(db: DatabaseSync, host: string): Release {
  const dropLocks = db.prepare("DELETE FROM task_lock WHERE task = ?");
  const dropSteps = db.prepare("DELETE FROM task_step WHERE task = ?");
  const dropClaims = db.prepare("DELETE FROM port_claim WHERE host = ? AND task = ?");
  return (id, { keepClaims }) => {
    dropLocks.run(id);
    dropSteps.run(id);
    if (!keepClaims) dropClaims.run(host, id);
  };
}

type EndVerb = "passPivot" | "complete" | "startUndo" | "finish" | "clearFailedUndo";

/** The verbs that lead a task to its end, each a guarded UPDATE. */
export function createEndVerbs(
  db: DatabaseSync,
  { events, audit }: TaskRecords,
  release: Release,
): Pick<TaskVerbs, EndVerb> {
  const pivot = db.prepare("UPDATE task SET pivot = 1 WHERE id = ? AND state = 'running' RETURNING id");
  const complete = db.prepare(
    `UPDATE task SET state = ?, result = ?, error = ?, "end" = ?, progress = ?, detail = ?, creates = NULL
     WHERE id = ? AND state = 'running' RETURNING ${endColumns}`,
  );
  const startUndo = db.prepare(
    `UPDATE task SET state = 'undoing', outcome = 'error', error = ?, detail = 'Undoing'
     WHERE id = ? AND state = 'running' RETURNING ${endColumns}`,
  );
  const finish = db.prepare(
    `UPDATE task SET state = CASE WHEN ? THEN 'error' ELSE outcome END, error = coalesce(?, error), result = 1, "end" = ?, debt = ?, detail = '',
       creates = CASE WHEN ? THEN creates END,
       params = CASE WHEN outcome = 'cancelled' AND NOT ? AND octet_length(params) > 4096 THEN '{}' ELSE params END
     WHERE id = ? AND state = 'undoing' RETURNING ${endColumns}, state`,
  );
  const clearDebt = db.prepare("UPDATE task SET debt = 0, creates = NULL WHERE id = ? AND debt = 1");

  return {
    passPivot(id) {
      return pivot.get(id) !== undefined;
    },
    complete(end) {
      const failed = end.result !== 0;
      const to = failed ? "error" : "completed";
      const { id, result, error, notice = "", now } = end;
      const row = complete.get(to, result, error, now, failed ? -1 : 100, notice, id) as EndRow | undefined;
      if (!row) return false;
      release(end.id, { keepClaims: !failed });
      events.add(row, to, end.now, end.result);
      audit.ended(row, to, end);
      return true;
    },
    startUndo(undo) {
      const row = startUndo.get(undo.error, undo.id) as TaskRow | undefined;
      if (row) events.add(row, "running", undo.now);
    },
    finish(end) {
      const debt = Number(end.undoFailed);
      const row = finish.get(debt, end.error, end.now, debt, debt, debt, end.id) as EndRow | undefined;
      if (!row) return;
      if (!end.undoFailed) release(end.id, { keepClaims: false });
      events.add(row, row.state, end.now, 1);
      audit.ended(row, row.state, end);
    },
    clearFailedUndo(id) {
      if (clearDebt.run(id).changes) release(id, { keepClaims: false });
    },
  };
}
