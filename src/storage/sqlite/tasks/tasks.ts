import type { DatabaseSync } from "node:sqlite";
import { bytesOfTask, type TaskQuota } from "../../task-quota.ts";
import type { NewTask, StepRow, TaskRow, TaskVerbs, Undo } from "../../task-store.ts";
import { createJobWriter } from "../openvz.ts";
import { createTaskAudit, type TaskRecords } from "./audit.ts";
import { taskColumns } from "./columns.ts";
import { createCancelVerbs } from "./cancel.ts";
import { createEndVerbs, createRelease } from "./ends.ts";
import { createTaskEvents } from "./events.ts";
import { createQueryVerbs } from "./queries.ts";
import { createPageVerbs } from "./pages.ts";

/** Milliseconds for which an idempotency key is valid. */
const idempotencyLife = 24 * 3600 * 1000;

/** The verbs of tasks. Accepting, claiming and steps are here, the others in files of their own. */
export function createTaskVerbs(db: DatabaseSync, host: string): TaskVerbs {
  const records: TaskRecords = { events: createTaskEvents(db, host), audit: createTaskAudit(db, host) };
  const release = createRelease(db, host);
  return {
    ...createAcceptVerbs(db, host, records),
    ...createStepVerbs(db),
    ...createEndVerbs(db, records, release),
    ...createCancelVerbs(db, records, release),
    ...createQueryVerbs(db, host),
    ...createPageVerbs(db, records.audit),
  };
}

function createAcceptVerbs(db: DatabaseSync, host: string, { events, audit }: TaskRecords) {
  const insert = db.prepare(
    `INSERT INTO task (host, kind, lane, name, user, address, params, state, creates, makes, init, hidden)
     VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?)`,
  );
  const insertLock = db.prepare("INSERT INTO task_lock (task, host, key, mode) VALUES (?, ?, ?, ?)");
  const insertClaim = db.prepare("INSERT INTO port_claim (host, protocol, port, owner, task) VALUES (?, ?, ?, ?, ?)");
  const insertKey = db.prepare("INSERT OR REPLACE INTO idempotency (user, key, hash, task, at) VALUES (?, ?, ?, ?, ?)");
  const creator = db.prepare("SELECT id, name, user FROM task WHERE host = ? AND creates = ?");
  const claimed = db.prepare(
    "SELECT protocol, port, owner FROM port_claim WHERE host = ? AND protocol = ? AND port = ?",
  );
  const writeJob = createJobWriter(db, host);
  const overQuota = createQuotaCheck(db);
  const findKey = db.prepare("SELECT hash, task FROM idempotency WHERE user = ? AND key = ? AND at > ?");
  const byId = db.prepare(`SELECT ${taskColumns} FROM task WHERE id = ?`);
  const claim = db.prepare(
    `UPDATE task SET state = 'running', start = ? WHERE id = ? AND state = 'waiting' RETURNING ${taskColumns}`,
  );

  function repeated(task: Parameters<TaskVerbs["repeated"]>[0]) {
    if (!task.idempotency) return undefined;
    const { key, hash } = task.idempotency;
    const found = findKey.get(task.user, key, task.now - idempotencyLife) as { hash: string; task: number } | undefined;
    if (!found) return undefined;
    if (found.hash !== hash) return { reused: found.task };
    const row = byId.get(found.task) as unknown as TaskRow | undefined;
    return row && { repeated: row };
  }

  function findConflict(task: NewTask) {
    const creating = task.creates && creator.get(host, task.creates);
    if (creating) return { creating: creating as { id: number; name: string; user: string } };
    for (const { protocol, port } of task.ports) {
      const holder = claimed.get(host, protocol, port);
      if (holder) return { claimed: holder as { protocol: string; port: number; owner: string } };
    }
    return undefined;
  }

  return {
    repeated,
    accept(task: NewTask) {
      const refused = repeated(task) ?? overQuota(task) ?? findConflict(task);
      if (refused) return refused;
      const { kind, lane, name, user, address = "", params, creates, now, awaited = false } = task;
      const flags = { makes: Number(creates !== null), hidden: Number(awaited) };
      const inserted = insert.run(
        host,
        kind,
        lane,
        name,
        user,
        address,
        params,
        creates,
        flags.makes,
        now,
        flags.hidden,
      );
      const id = Number(inserted.lastInsertRowid);
      for (const [key, mode] of task.locks) insertLock.run(id, host, key, mode);
      for (const { protocol, port } of task.ports) insertClaim.run(host, protocol, port, creates ?? `task/${id}`, id);
      if (task.idempotency) insertKey.run(user, task.idempotency.key, task.idempotency.hash, id, now);
      if (task.job) writeJob(task.job, { id, user, now });
      if (!awaited) events.addShown({ id, kind, name, user }, "waiting", now);
      audit.accepted({ id, kind, name, user, address }, now);
      return { id };
    },
    claim({ id, now }: { id: number; now: number }) {
      const row = claim.get(now, id) as unknown as TaskRow | undefined;
      if (row) events.add(row, "running", now);
      return row;
    },
  };
}

/** Returns what refuses a task that is over its user's quota; nothing for one that has room. */
function createQuotaCheck(db: DatabaseSync) {
  const usage = db.prepare("SELECT tasks, bytes FROM task_usage WHERE user = ?");
  return function overQuota({ user, quota, params }: NewTask) {
    if (!quota) return undefined;
    const used = (usage.get(user) ?? { tasks: 0, bytes: 0 }) as unknown as TaskQuota;
    if (used.tasks >= quota.tasks) return { over: "tasks" as const, limit: quota.tasks };
    const bytes = used.bytes + Buffer.byteLength(params) + bytesOfTask;
    return bytes > quota.bytes ? { over: "bytes" as const, limit: quota.bytes } : undefined;
  };
}

function createStepVerbs(db: DatabaseSync) {
  const select = db.prepare("SELECT seq, name, state, undo, out FROM task_step WHERE task = ? ORDER BY seq");
  const done = db.prepare(
    "UPDATE task_step SET state = 'done', out = ? WHERE task = ? AND seq = ? AND state = 'planned'",
  );
  const plan = db.prepare("INSERT INTO task_step (task, seq, name, state, undo) VALUES (?, ?, ?, 'planned', ?)");
  const progressed = db.prepare("UPDATE task SET attempts = 0 WHERE id = ? AND attempts > 0");
  return {
    steps(id: number): StepRow[] {
      return select.all(id).map((row) => ({
        seq: row["seq"] as number,
        name: row["name"] as string,
        state: row["state"] as "planned" | "done",
        undo: parse(row["undo"]) as Undo | null,
        out: parse(row["out"]),
      }));
    },
    planStep(step: Parameters<TaskVerbs["planStep"]>[0]) {
      if (step.previous) {
        done.run(JSON.stringify(step.previous.out), step.task, step.previous.seq);
        progressed.run(step.task);
      }
      plan.run(step.task, step.seq, step.name, step.undo && JSON.stringify(step.undo));
    },
  };
}

function parse(json: unknown): unknown {
  return typeof json === "string" ? JSON.parse(json) : null;
}
