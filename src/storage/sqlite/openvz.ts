import type { DatabaseSync } from "node:sqlite";
import type { OpenvzContainerRow, OpenvzJobRow, OpenvzVerbs } from "../openvz-store.ts";
import type { OpenvzJob } from "../task-store.ts";

/** Returns a function that writes the job of a task. It must run in the transaction that accepts the task. */
export function createJobWriter(db: DatabaseSync, host: string) {
  const insert = db.prepare(
    "INSERT INTO openvz_job (id, host, task, container, verb, user, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  return ({ id, container, verb }: OpenvzJob, task: { id: number; user: string; now: number }): void => {
    insert.run(id, host, task.id, container, verb, task.user, task.now);
  };
}

/** SQL of the owner of a container `c`: it is in the row of the task that made it, or in `task_owner` after that. */
const ownerOf = `coalesce((SELECT user FROM task WHERE task.id = c.task AND makes = 1),
  (SELECT user FROM task_owner o WHERE o.host = c.host AND o.task = c.task))`;

/**
 * Deletes jobs whose tasks are no longer stored. A job that created an existing container stays, because clients may know
 * the container by it; that its container exists shows that it has succeeded.
 */
export const dropOpenvzJobs = `DELETE FROM openvz_job
  WHERE NOT EXISTS (SELECT 1 FROM task WHERE task.id = openvz_job.task)
  AND NOT (verb = 'create' AND EXISTS (SELECT 1 FROM openvz_container c WHERE c.id = openvz_job.container))`;

/** The verbs of the containers-and-jobs API. */
export function createOpenvzVerbs(db: DatabaseSync, host: string): OpenvzVerbs {
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
