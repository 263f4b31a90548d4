import type { DatabaseSync } from "node:sqlite";
import type { Stretch, TaskFilterRow, TaskRow, TaskVerbs } from "../task-store.ts";
import { dropOpenvzJobs } from "./openvz.ts";
import type { taskAudit } from "./task-audit.ts";
import { taskColumns } from "./task-columns.ts";

/** What one call looks at, whatever it finds: the store's thread is somebody else's after some milliseconds. */
const mostRows = 500;
const mostBytes = 1 << 20;
/** Changing a row costs more than reading it. */
const mostChanged = 200;
/** Rows of events and keys that one call drops. */
const mostDropped = 2000;

const isFinal = "state IN ('completed', 'error', 'cancelled') AND debt = 0";

interface Looked {
  id: number;
  /** Bytes of its request. */
  size: number;
  wanted: number;
}

/** The verbs that go through many tasks, from the newest to the oldest, stretch by stretch. */
export function taskStretches(
  db: DatabaseSync,
  audit: ReturnType<typeof taskAudit>,
): Pick<TaskVerbs, "list" | "clear" | "clearOne" | "purge" | "purgeTrails"> {
  return { ...listing(db), ...clearing(db, audit), purge: purging(db), purgeTrails: purgingTrails(db) };
}

/** Goes through rows and keeps what `take` makes of the wanted ones, until enough of them were looked at. */
function walk<R extends Looked, T>(rows: Iterable<R>, take: (row: R) => T | undefined, limit: number): Stretch<T> {
  const items: T[] = [];
  let [looked, bytes] = [0, 0];
  for (const row of rows) {
    const item = row.wanted === 1 ? take(row) : undefined;
    if (item !== undefined) items.push(item);
    looked++;
    bytes += row.size;
    if (items.length >= limit || looked >= mostRows || bytes >= mostBytes) return { items, next: row.id };
  }
  return { items, next: null };
}

/** An alias of a category is listed with what it stands for. */
const category = "CASE kind WHEN 'image_pull' THEN 'image_download' ELSE kind END";

/** Which rows of `filter` are wanted, of all that are older than `before`. The id goes by the table's own order. */
function looker(db: DatabaseSync, condition: string) {
  const select = db.prepare(
    `SELECT id, octet_length(params) AS size,
       ${condition} AND ${category} = coalesce(?, ${category}) AND user = coalesce(?, user) AS wanted
     FROM task WHERE id < ? ORDER BY id DESC`,
  );
  return ({ kind, user, before }: Omit<TaskFilterRow, "limit">) =>
    select.iterate(kind, user ?? null, before ?? Number.MAX_SAFE_INTEGER) as Iterable<unknown> as Iterable<Looked>;
}

function listing(db: DatabaseSync): Pick<TaskVerbs, "list"> {
  const look = looker(db, "hidden = 0 AND state <> 'cancelled'");
  const get = db.prepare(`SELECT ${taskColumns} FROM task WHERE id = ?`);
  return {
    list: ({ limit, ...filter }) => walk(look(filter), ({ id }) => get.get(id) as unknown as TaskRow, limit),
  };
}

function clearing(db: DatabaseSync, audit: ReturnType<typeof taskAudit>): Pick<TaskVerbs, "clear" | "clearOne"> {
  const clearable = "hidden = 0 AND state IN ('completed', 'error')";
  const look = looker(db, clearable);
  const hide = db.prepare(
    `UPDATE task SET hidden = 1, ${shorter} WHERE id = ? AND ${clearable} RETURNING id, kind, name`,
  );
  const cleared = (id: number) => hide.get(id) as { id: number; kind: string; name: string } | undefined;
  return {
    clearOne({ id, by }) {
      const row = cleared(id);
      if (row) audit.cleared([row], by, Date.now());
      return row !== undefined;
    },
    clear({ by, ...filter }) {
      // All is read before a row is changed: what is walked through stays as it was.
      const { items, next } = walk(look(filter), ({ id }) => id, mostChanged);
      audit.cleared(
        items.flatMap((id) => cleared(id) ?? []),
        by,
        Date.now(),
      );
      return { items, next };
    },
  };
}

/** A request that nobody sees any more is kept only when it is short. */
const shorter = "params = CASE WHEN octet_length(params) > 4096 THEN '{}' ELSE params END";

interface Purgeable extends Looked {
  /** Its end is older than the least and than the greatest age. */
  ripe: number;
  old: number;
  /** It was cleared, and is not kept for its job. */
  dropped: number;
}

function purging(db: DatabaseSync): TaskVerbs["purge"] {
  const look = db.prepare(
    `SELECT id, octet_length(params) AS size, ${isFinal} AS wanted, "end" < :ripe AS ripe, "end" < :old AS old,
       hidden = 1 AND kind NOT LIKE 'openvz%' AS dropped
     FROM task WHERE id < :before ORDER BY id DESC`,
  );
  const drop = db.prepare("DELETE FROM task WHERE id = ?");
  return ({ now, minAge, maxAge, maxCount, from }) => {
    let final = from?.final ?? 0;
    const bounds = { ripe: now - minAge, old: now - maxAge, before: from?.before ?? Number.MAX_SAFE_INTEGER };
    const { items, next } = walk(
      look.iterate(bounds) as Iterable<unknown> as Iterable<Purgeable>,
      (row) => {
        const beyond = final++ >= maxCount;
        return row.ripe === 1 && (beyond || row.old === 1 || row.dropped === 1) ? row.id : undefined;
      },
      mostChanged,
    );
    for (const id of items) drop.run(id);
    return { dropped: items.length, next: next === null ? null : { before: next, final } };
  };
}

/** What is written beside tasks: keys, jobs and events. */
function purgingTrails(db: DatabaseSync): TaskVerbs["purgeTrails"] {
  const dropKeys = db.prepare(
    "DELETE FROM idempotency WHERE (user, key) IN (SELECT user, key FROM idempotency WHERE at < ? LIMIT ?)",
  );
  const dropJobs = db.prepare(dropOpenvzJobs);
  const dropEvents = db.prepare(
    `DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - ?1
       AND seq < (SELECT min(seq) FROM event) + ?2`,
  );
  return ({ now, minAge, maxEvents }) => {
    const dropped = [dropKeys.run(now - minAge, mostDropped), dropJobs.run(), dropEvents.run(maxEvents, mostDropped)];
    return dropped.reduce((sum, { changes }) => sum + Number(changes), 0);
  };
}
