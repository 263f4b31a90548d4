import type { DatabaseSync } from "node:sqlite";

/** Writes the event of a task's change of state, in the transaction of the change. */
export function taskEvents(db: DatabaseSync, host: string) {
  // Of what is in no list nobody is told: who waits for it has its end.
  const insert = db.prepare(
    `INSERT INTO event (host, ts, kind, user, data)
     SELECT ?, ?, 'background', ?, ? FROM task WHERE id = ? AND hidden = 0`,
  );
  return {
    add(task: { id: number; kind: string; name: string; user: string }, state: string, now: number, result?: number) {
      const data = {
        category: task.kind,
        state,
        container: task.name,
        tid: task.id,
        ...(result !== undefined && { result }),
      };
      insert.run(host, Math.floor(now / 1000), task.user, JSON.stringify(data), task.id);
    },
  };
}
