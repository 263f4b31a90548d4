import type { DatabaseSync } from "node:sqlite";
import type { Actor, TaskRow } from "../task-store.ts";
import type { Trails } from "./task-audit.ts";

const columns = "id, kind, name, user, address, result";
type Ended = TaskRow & { address: string };

/** The verbs that lead a task to its end, each a guarded UPDATE. */
export function taskEnds(db: DatabaseSync, host: string, { events, audit }: Trails) {
  const pivot = db.prepare("UPDATE task SET pivot = 1 WHERE id = ? AND state = 'running' RETURNING id");
  const complete = db.prepare(
    `UPDATE task SET state = ?, result = ?, error = ?, "end" = ?, progress = ?, detail = '', creates = NULL
     WHERE id = ? AND state = 'running' RETURNING ${columns}`,
  );
  const startUndo = db.prepare(
    `UPDATE task SET state = 'undoing', outcome = 'error', error = ?, detail = 'Undoing'
     WHERE id = ? AND state = 'running' RETURNING ${columns}`,
  );
  const finish = db.prepare(
    `UPDATE task SET state = CASE WHEN ? THEN 'error' ELSE outcome END, error = coalesce(?, error), result = 1, "end" = ?, debt = ?, detail = '',
       creates = CASE WHEN ? THEN creates END
     WHERE id = ? AND state = 'undoing' RETURNING ${columns}, state`,
  );
  const settle = db.prepare("UPDATE task SET debt = 0, creates = NULL WHERE id = ? AND debt = 1");
  const withdraw = db.prepare(
    `UPDATE task SET state = 'cancelled', "end" = ?, creates = NULL WHERE id = ? AND state = 'waiting' RETURNING ${columns}`,
  );
  const cancel = db.prepare(
    `UPDATE task SET state = 'undoing', outcome = 'cancelled', detail = 'Cancelling'
     WHERE id = ? AND state = 'running' AND pivot = 0 RETURNING ${columns}`,
  );
  const state = db.prepare("SELECT state, outcome FROM task WHERE id = ?");
  const dropLocks = db.prepare("DELETE FROM task_lock WHERE task = ?");
  const dropSteps = db.prepare("DELETE FROM task_step WHERE task = ?");
  const dropClaims = db.prepare("DELETE FROM port_claim WHERE host = ? AND task = ?");

  function release(id: number, keepClaims: boolean): void {
    dropLocks.run(id);
    dropSteps.run(id);
    if (!keepClaims) dropClaims.run(host, id);
  }

  function withdrawn({ id, now, by }: { id: number; now: number; by?: Actor | undefined }): boolean {
    const waiting = withdraw.get(now, id) as Ended | undefined;
    if (!waiting) return false;
    release(id, false);
    events.add(waiting, "cancelled", now);
    audit.cancelled(waiting, by, now);
    return true;
  }

  return {
    passPivot(id: number): boolean {
      return pivot.get(id) !== undefined;
    },
    complete(end: { id: number; result: number; error: string | null; now: number }): boolean {
      const failed = end.result !== 0;
      const to = failed ? "error" : "completed";
      const row = complete.get(to, end.result, end.error, end.now, failed ? -1 : 100, end.id) as Ended | undefined;
      if (!row) return false;
      release(end.id, !failed);
      events.add(row, to, end.now, end.result);
      audit.ended(row, to, end.now);
      return true;
    },
    startUndo(undo: { id: number; error: string; now: number }): void {
      const row = startUndo.get(undo.error, undo.id) as TaskRow | undefined;
      if (row) events.add(row, "running", undo.now);
    },
    finish(end: { id: number; error: string | null; undoFailed: boolean; now: number }): void {
      const debt = Number(end.undoFailed);
      const row = finish.get(debt, end.error, end.now, debt, debt, end.id) as Ended | undefined;
      if (!row) return;
      if (!end.undoFailed) release(end.id, false);
      events.add(row, row.state, end.now, 1);
      audit.ended(row, row.state, end.now);
    },
    clearFailedUndo(id: number): void {
      if (settle.run(id).changes) release(id, false);
    },
    withdraw: withdrawn,
    cancel({ id, now, by }: { id: number; now: number; by?: Actor | undefined }) {
      if (withdrawn({ id, now, by })) return "withdrawn";
      const running = cancel.get(id) as Ended | undefined;
      if (running) {
        events.add(running, "running", now);
        audit.cancelled(running, by, now);
        return "undoing";
      }
      const found = state.get(id) as { state: string; outcome: string | null } | undefined;
      if (!found) return "unknown";
      if (found.state === "undoing" && found.outcome === "cancelled") return "undoing";
      return found.state === "running" || found.state === "undoing" ? "past_pivot" : "final";
    },
  };
}
