import type { DatabaseSync } from "node:sqlite";
import type { OpenvzContainerRow, OpenvzJobRow, OpenvzVerbs } from "../openvz-store.ts";
import type { OpenvzJob } from "../task-store.ts";

/** Writes the job of a task, in the transaction that accepts it. */
export function openvzJobWriter(db: DatabaseSync, host: string) {
  const insert = db.prepare(
    "INSERT INTO openvz_job (id, host, task, container, verb, user, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  return ({ id, container, verb }: OpenvzJob, task: { id: number; user: string; now: number }): void => {
    insert.run(id, host, task.id, container, verb, task.user, task.now);
  };
}

/** Of a container `c`: it stands with the task that made it, and by itself when that is gone. */
const ownerOf = `coalesce((SELECT user FROM task WHERE task.id = c.task AND makes = 1),
  (SELECT user FROM task_owner o WHERE o.host = c.host AND o.task = c.task))`;

/**
 * A job goes with its task, but for the create of a container that is there: clients may know the container by it. Of
 * such a one without a task it is known that it went well.
 */
export const dropOpenvzJobs = `DELETE FROM openvz_job
  WHERE NOT EXISTS (SELECT 1 FROM task WHERE task.id = openvz_job.task)
  AND NOT (verb = 'create' AND EXISTS (SELECT 1 FROM openvz_container c WHERE c.id = openvz_job.container))`;

export function openvzSql(db: DatabaseSync, host: string): OpenvzVerbs {
  const columns = "id, name, ostemplate, engine, parameters, description, created_at AS createdAt, c.task";
  const from = `SELECT ${columns} FROM openvz_container c`;
  const record = db.prepare(
    `INSERT OR IGNORE INTO openvz_container (id, host, name, ostemplate, engine, created_at, task)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const setParameters = db.prepare(
    "UPDATE openvz_container SET parameters = ?, description = coalesce(?, description) WHERE id = ?",
  );
  const forget = db.prepare("DELETE FROM openvz_container WHERE id = ?");
  const container = db.prepare(`${from} WHERE id = ?`);
  const containerOfJob = db.prepare(`${from} WHERE id = (SELECT container FROM openvz_job WHERE id = ?)`);
  const ofTask = db.prepare(`${from} WHERE c.task = ?`);
  const all = db.prepare(`${from} WHERE host = ? ORDER BY created_at, c.task`);
  const own = db.prepare(`${from} WHERE host = ? AND ${ownerOf} = ? ORDER BY created_at, c.task`);
  const jobs = `SELECT j.id, container, verb, j.user, j.task, created_at AS createdAt, error, params,
    coalesce(state, 'completed') AS state FROM openvz_job j LEFT JOIN task ON task.id = j.task`;
  const job = db.prepare(`${jobs} WHERE j.id = ?`);
  const listed = db.prepare(`${jobs} WHERE j.host = ? AND j.user = coalesce(?, j.user) ORDER BY j.task DESC LIMIT ?`);

  return {
    record(row) {
      record.run(row.id, host, row.name, row.ostemplate, row.engine, row.createdAt, row.task);
    },
    setParameters(change) {
      setParameters.run(change.parameters, change.description ?? null, change.id);
    },
    forget(id) {
      forget.run(id);
    },
    container: (id) => container.get(id) as unknown as OpenvzContainerRow | undefined,
    containerOfJob: (id) => containerOfJob.get(id) as unknown as OpenvzContainerRow | undefined,
    ofTask: (task) => ofTask.get(task) as unknown as OpenvzContainerRow | undefined,
    containers: ({ user }) =>
      (user === undefined ? all.all(host) : own.all(host, user)) as unknown as OpenvzContainerRow[],
    job: (id) => job.get(id) as unknown as OpenvzJobRow | undefined,
    jobs: ({ user, limit }) => listed.all(host, user ?? null, limit) as unknown as OpenvzJobRow[],
  };
}
