import type { DatabaseSync } from "node:sqlite";

interface Changed {
  id: number;
  kind: string;
  name: string;
  user: string;
}

/** Writes the event of a task's change of state, in the transaction of the change. */
export function taskEvents(db: DatabaseSync, host: string) {
  // Of what is in no list nobody is told: who waits for it has its end.
  const insert = db.prepare(
    `INSERT INTO event (host, ts, kind, user, data)
     SELECT ?, ?, 'background', ?, ? FROM task WHERE id = ? AND hidden = 0`,
  );
  const insertShown = db.prepare("INSERT INTO event (host, ts, kind, user, data) VALUES (?, ?, 'background', ?, ?)");
  return {
    add(task: Changed, state: string, now: number, result?: number): void {
      insert.run(host, Math.floor(now / 1000), task.user, dataOf(task, state, result), task.id);
    },
    /** The same, for one that is known to be in the lists. */
    addShown(task: Changed, state: string, now: number): void {
      insertShown.run(host, Math.floor(now / 1000), task.user, dataOf(task, state));
    },
  };
}

function dataOf({ id, kind, name }: Changed, state: string, result?: number): string {
  return JSON.stringify({ category: kind, state, container: name, tid: id, ...(result !== undefined && { result }) });
}
