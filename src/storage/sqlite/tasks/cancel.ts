import type { DatabaseSync } from "node:sqlite";
import type { TaskVerbs } from "../../task-store.ts";
import type { TaskRecords } from "./audit.ts";
import { dropLongTexts } from "./columns.ts";
import { endColumns, type EndRow, type Release } from "./ends.ts";

/** The verbs that cancel a task, each a guarded UPDATE. */
export function createCancelVerbs(
  db: DatabaseSync,
  { events, audit }: TaskRecords,
  release: Release,
): Pick<TaskVerbs, "cancel" | "withdraw"> {
  const withdrawWaiting = db.prepare(
    `UPDATE task SET state = 'cancelled', "end" = ?, creates = NULL, ${dropLongTexts} WHERE id = ? AND state = 'waiting' RETURNING ${endColumns}`,
  );
  const cancelRunning = db.prepare(
    `UPDATE task SET state = 'undoing', outcome = 'cancelled', detail = 'Cancelling'
     WHERE id = ? AND state = 'running' AND pivot = 0 RETURNING ${endColumns}`,
  );
  const state = db.prepare("SELECT state, outcome FROM task WHERE id = ?");

  function withdraw({ id, now, by }: Parameters<TaskVerbs["cancel"]>[0]): boolean {
    const waiting = withdrawWaiting.get(now, id) as EndRow | undefined;
    if (!waiting) return false;
    release(id, { keepClaims: false });
    events.add(waiting, "cancelled", now);
    audit.cancelled(waiting, by, now);
    return true;
  }

  return {
    withdraw,
    cancel({ id, now, by }) {
      if (withdraw({ id, now, by })) return "withdrawn";
      const running = cancelRunning.get(id) as EndRow | undefined;
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
