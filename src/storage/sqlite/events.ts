import type { DatabaseSync } from "node:sqlite";
import type { EventRow, EventVerbs } from "../event-store.ts";

/** The verbs of events. */
export function createEventVerbs(db: DatabaseSync, host: string): EventVerbs {
  const select = db.prepare("SELECT seq, ts, kind, user, data FROM event WHERE seq > ? ORDER BY seq LIMIT ?");
  const span = db.prepare("SELECT coalesce(min(seq), 1) AS first, coalesce(max(seq), 0) AS last FROM event");
  const insert = db.prepare("INSERT INTO event (host, ts, kind, user, data) VALUES (?, ?, ?, ?, ?)");
  return {
    read({ after, limit }) {
      const { first, last } = span.get() as { first: number; last: number };
      return { events: select.all(after, limit) as unknown as EventRow[], first, last };
    },
    add({ ts, kind, user, data }) {
      return Number(insert.run(host, ts, kind, user, data).lastInsertRowid);
    },
  };
}
