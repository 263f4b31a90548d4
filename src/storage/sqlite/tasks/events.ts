import type { DatabaseSync } from "node:sqlite";

interface ChangedTask {
  id: number;
  kind: string;
  name: string;
  user: string;
}

/** Writes the events of tasks, each in the transaction of the change. */
export function createTaskEvents(db: DatabaseSync, host: string) {
  // Tasks that are in no list have no events: somebody waits for their end.
  const insert = db.prepare(
    `INSERT INTO event (host, ts, kind, user, data)
     SELECT ?, ?, 'background', ?, ? FROM task WHERE id = ? AND hidden = 0`,
  );
  const insertShown = db.prepare("INSERT INTO event (host, ts, kind, user, data) VALUES (?, ?, 'background', ?, ?)");
  return {
    add(task: ChangedTask, state: string, now: number, result?: number): void {
      insert.run(host, Math.floor(now / 1000), task.user, toEventData(task, state, result), task.id);
    },
    /** Does the same for a task that is known to be in the lists, without looking. */
    addShown(task: ChangedTask, state: string, now: number): void {
      insertShown.run(host, Math.floor(now / 1000), task.user, toEventData(task, state));
    },
  };
}

function toEventData({ id, kind, name }: ChangedTask, state: string, result?: number): string {
  return JSON.stringify({ category: kind, state, container: name, tid: id, ...(result !== undefined && { result }) });
}
