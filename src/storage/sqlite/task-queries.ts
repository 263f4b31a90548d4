import type { DatabaseSync } from "node:sqlite";
import type { ActiveTask, Lock, TaskFilterRow, TaskRow, TaskVerbs } from "../task-store.ts";
import { dropOpenvzJobs } from "./openvz.ts";
import type { taskAudit } from "./task-audit.ts";
import { taskColumns } from "./task-columns.ts";

/** Characters of the requests in one list. */
const largestList = 32 << 20;
/** As the index has it, word for word: it waits, runs or is undone, or owes an undo. */
const active = `("end" IS NULL OR debt = 1)`;
/** An alias of a category is listed with what it stands for. */
const category = "CASE kind WHEN 'image_pull' THEN 'image_download' ELSE kind END";
const final = "state IN ('completed', 'error', 'cancelled') AND debt = 0";

/** Reads, and the upkeep of what is over. */
export function taskQueries(db: DatabaseSync, host: string, audit: ReturnType<typeof taskAudit>) {
  const saveProgress = db.prepare("UPDATE task SET detail = ?, progress = ? WHERE id = ? AND state = 'running'");
  const get = db.prepare(`SELECT ${taskColumns} FROM task WHERE id = ? AND hidden = 0 AND state <> 'cancelled'`);
  const row = db.prepare(`SELECT ${taskColumns} FROM task WHERE id = ?`);
  const listed = `SELECT ${taskColumns} FROM task WHERE id < ? AND hidden = 0 AND state <> 'cancelled'`;
  const list = db.prepare(
    `${listed} AND ${category} = coalesce(?, ${category}) AND user = coalesce(?, user) ORDER BY id DESC LIMIT ?`,
  );
  const clear = db.prepare(
    `UPDATE task SET hidden = 1 WHERE hidden = 0 AND state IN ('completed', 'error')
     AND id = coalesce(?, id) AND ${category} = coalesce(?, ${category}) AND user = coalesce(?, user) RETURNING id, kind, name`,
  );
  // What waits is read when it is claimed: all requests of a long queue would not fit into one answer.
  const light = taskColumns.replace(
    "params",
    "CASE WHEN state IN ('running', 'undoing') THEN params ELSE '' END AS params",
  );
  const activeTasks = db.prepare(`SELECT ${light}, debt FROM task WHERE host = ? AND ${active} ORDER BY id`);
  const locks = db.prepare("SELECT key, mode FROM task_lock WHERE task = ?");
  const attempt = db.prepare("UPDATE task SET attempts = attempts + 1 WHERE id = ? RETURNING attempts");
  const forgive = db.prepare(`UPDATE task SET attempts = 0 WHERE host = ? AND ${active} AND attempts > 0`);
  const nameOf = db.prepare("SELECT name FROM task WHERE id = ?");
  const ownerOf = db.prepare(
    `SELECT user FROM task WHERE id = :id AND host = :host AND makes = 1
     UNION ALL SELECT user FROM task_owner WHERE host = :host AND task = :id`,
  );
  const undone = db.prepare(
    "SELECT id FROM task WHERE id = ? AND debt = 0 AND (state = 'cancelled' OR (state = 'error' AND outcome IS NOT NULL))",
  );
  const ofFinal = `NOT EXISTS (SELECT 1 FROM task WHERE task.id = port_claim.task AND ${active})`;
  const claims = db.prepare(`SELECT protocol, port, owner FROM port_claim WHERE host = ? AND ${ofFinal}`);
  const moveClaims = db.prepare("UPDATE port_claim SET owner = ? WHERE host = ? AND owner = ?");
  const claimant = db.prepare("SELECT owner FROM port_claim WHERE host = ? AND protocol = ? AND port = ?");
  const releaseClaims = db.prepare(`DELETE FROM port_claim WHERE host = ? AND owner = ? AND ${ofFinal}`);

  return {
    saveProgress(saved: { id: number; detail: string; progress: number }): void {
      saveProgress.run(saved.detail, saved.progress, saved.id);
    },
    get(id: number) {
      return get.get(id) as unknown as TaskRow | undefined;
    },
    row(id: number) {
      return row.get(id) as unknown as TaskRow | undefined;
    },
    list({ kind, limit, before, user }: TaskFilterRow) {
      const found = list.iterate(before ?? Number.MAX_SAFE_INTEGER, kind, user ?? null, limit);
      const rows: TaskRow[] = [];
      let size = 0;
      for (const row of found as unknown as Iterable<TaskRow>) {
        rows.push(row);
        size += row.params.length;
        if (size > largestList) return "too_large";
      }
      return rows;
    },
    clear({ id, kind, user, by }: Parameters<TaskVerbs["clear"]>[0]): number[] {
      const rows = clear.all(id, kind, user ?? null) as { id: number; kind: string; name: string }[];
      rows.sort((a, b) => a.id - b.id);
      audit.cleared(rows, by, Date.now());
      return rows.map((row) => row.id);
    },
    active(): ActiveTask[] {
      return activeTasks.all(host).map((row) => {
        const { debt, ...task } = row as unknown as TaskRow & { debt: number };
        const held = locks.all(task.id) as { key: string; mode: "S" | "X" }[];
        return { task, debt: debt === 1, locks: held.map(({ key, mode }): Lock => [key, mode]) };
      });
    },
    countAttempt(id: number): number {
      return (attempt.get(id) as { attempts: number }).attempts;
    },
    forgiveAttempts(): void {
      forgive.run(host);
    },
    nameOf(id: number): string | undefined {
      return nameOf.get(id)?.["name"] as string | undefined;
    },
    ownerOf(id: number): string | undefined {
      return ownerOf.get({ host, id })?.["user"] as string | undefined;
    },
    undone(ids: readonly number[]): number[] {
      return ids.filter((id) => undone.get(id) !== undefined);
    },
    claims() {
      return claims.all(host) as { protocol: string; port: number; owner: string }[];
    },
    claimant({ protocol, port }: { protocol: string; port: number }): string | undefined {
      return claimant.get(host, protocol, port)?.["owner"] as string | undefined;
    },
    releaseClaims(owner: string): void {
      releaseClaims.run(host, owner);
    },
    moveClaims({ from, to }: { from: string; to: string }): void {
      moveClaims.run(to, host, from);
    },
    purge: purging(db),
  };
}

function purging(db: DatabaseSync) {
  // What a name or a count says is over may go only when it is older than minAge.
  const countLimit = db.prepare(`SELECT id FROM task WHERE ${final} ORDER BY id DESC LIMIT 1 OFFSET ?`);
  const dropTasks = db.prepare(
    `DELETE FROM task WHERE ${final} AND "end" < ? AND (id <= ? OR "end" < ? OR (hidden = 1 AND kind NOT LIKE 'openvz%'))`,
  );
  const dropKeys = db.prepare("DELETE FROM idempotency WHERE at < ?");
  const dropJobs = db.prepare(dropOpenvzJobs);
  const dropEvents = db.prepare("DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - ?");
  return (limits: { now: number; maxAge: number; minAge: number; maxCount: number; maxEvents: number }): number => {
    const beyond = countLimit.get(limits.maxCount) as { id: number } | undefined;
    const tasks = dropTasks.run(limits.now - limits.minAge, beyond?.id ?? 0, limits.now - limits.maxAge).changes;
    dropJobs.run();
    const keys = dropKeys.run(limits.now - limits.minAge).changes;
    return Number(tasks) + Number(keys) + Number(dropEvents.run(limits.maxEvents).changes);
  };
}
