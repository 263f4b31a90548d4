import type { DatabaseSync } from "node:sqlite";
import type { TaskRow, TaskVerbs } from "../../task-store.ts";
import type { Page, TaskFilterRow } from "../../task-ranges.ts";
import { dropOpenvzJobs } from "../openvz.ts";
import type { createTaskAudit } from "./audit.ts";
import { dropLongTexts, taskColumns } from "./columns.ts";

/** How much one call looks at, whatever it finds. Other calls get the store's thread after some milliseconds. */
const maxRows = 500;
const maxBytes = 1 << 20;
/** How much one call returns of a list. It is parsed in one go, by the thread that answers all requests. */
const maxListed = 100;
const maxListedBytes = 128 << 10;
/** How many rows one call changes, which costs more than reading them. */
const maxChanges = 200;
/** How many rows of events and of keys one call deletes. */
const maxDeletes = 2000;

const isFinal = "state IN ('completed', 'error', 'cancelled') AND debt = 0";

interface CandidateRow {
  /** Id of the task. */
  id: number;
  /** Bytes of its request. */
  size: number;
  /** 1 if it matches the filter, else 0. */
  wanted: number;
}

/** The verbs that go through many tasks, from the newest to the oldest, page by page. */
export function createPageVerbs(
  db: DatabaseSync,
  audit: ReturnType<typeof createTaskAudit>,
): Pick<TaskVerbs, "list" | "clear" | "clearOne" | "purge" | "purgeRecords"> {
  return {
    ...createListVerb(db),
    ...createClearVerbs(db, audit),
    purge: createPurge(db),
    purgeRecords: createRecordPurge(db),
  };
}

/** Reads one page: collects what `take` returns for wanted rows, until the page is full or enough rows were read. */
function readPage<R extends CandidateRow, T>(
  rows: Iterable<R>,
  take: (row: R) => T | undefined,
  limit: number,
  mostBytes = maxBytes,
): Page<T> {
  const items: T[] = [];
  let [count, bytes] = [0, 0];
  for (const row of rows) {
    const item = row.wanted === 1 ? take(row) : undefined;
    if (item !== undefined) items.push(item);
    count++;
    bytes += row.size;
    if (items.length >= limit || count >= maxRows || bytes >= mostBytes) return { items, next: row.id };
  }
  return { items, next: null };
}

/** SQL of a task's category: the alias image_pull counts as image_download, as `categoryAliases` of src/api/task.ts says. */
const category = "CASE kind WHEN 'image_pull' THEN 'image_download' ELSE kind END";

/**
 * Returns a function that iterates over the listed tasks older than `before`, of everybody or of one user, and marks those that
 * match its filter. It reads an index that has no hidden task (`hidden`: cleared, or awaited), because thousands of cleared tasks stay for a day.
 */
function createRowReader(db: DatabaseSync, condition: string) {
  const columns = `id, octet_length(params) AS size, ${condition} AND ${category} = coalesce(?, ${category}) AS wanted`;
  const listed = "hidden = 0 AND state <> 'cancelled' AND id < ? ORDER BY id DESC";
  const all = db.prepare(`SELECT ${columns} FROM task INDEXED BY task_listed WHERE ${listed}`);
  const own = db.prepare(`SELECT ${columns} FROM task INDEXED BY task_listed_user WHERE user = ? AND ${listed}`);
  return ({ kind, user, before }: Omit<TaskFilterRow, "limit">): Iterable<CandidateRow> => {
    const from = before ?? Number.MAX_SAFE_INTEGER;
    const rows: Iterable<unknown> = user === undefined ? all.iterate(kind, from) : own.iterate(kind, user, from);
    return rows as Iterable<CandidateRow>;
  };
}

function createListVerb(db: DatabaseSync): Pick<TaskVerbs, "list"> {
  const readRows = createRowReader(db, "TRUE");
  const get = db.prepare(`SELECT ${taskColumns} FROM task WHERE id = ?`);
  return {
    list({ limit, ...filter }) {
      const take = ({ id }: CandidateRow) => get.get(id) as unknown as TaskRow;
      return readPage(readRows(filter), take, Math.min(limit, maxListed), maxListedBytes);
    },
  };
}

function createClearVerbs(
  db: DatabaseSync,
  audit: ReturnType<typeof createTaskAudit>,
): Pick<TaskVerbs, "clear" | "clearOne"> {
  const clearable = "state IN ('completed', 'error')";
  const readRows = createRowReader(db, clearable);
  const hide = db.prepare(
    `UPDATE task SET hidden = 1, ${dropLongTexts} WHERE id = ? AND hidden = 0 AND ${clearable} RETURNING id, kind, name`,
  );
  const cleared = (id: number) => hide.get(id) as { id: number; kind: string; name: string } | undefined;
  return {
    clearOne({ id, by }) {
      const row = cleared(id);
      if (row) audit.cleared([row], by, Date.now());
      return row !== undefined;
    },
    clear({ by, ...filter }) {
      // The whole page is read before a row is changed, because rows must not change during an iteration.
      const { items, next } = readPage(readRows(filter), ({ id }) => id, maxChanges);
      audit.cleared(
        items.flatMap((id) => cleared(id) ?? []),
        by,
        Date.now(),
      );
      return { items, next };
    },
  };
}

interface Purgeable extends CandidateRow {
  /** 1 if it ended longer ago than the minimum age. */
  pastMinAge: number;
  /** 1 if it ended longer ago than the maximum age. */
  old: number;
  /** 1 if it was cleared or cancelled and has no job for which it is kept. */
  dropped: number;
}

function createPurge(db: DatabaseSync): TaskVerbs["purge"] {
  const readRows = db.prepare(
    `SELECT id, octet_length(params) AS size, ${isFinal} AS wanted, "end" < :pastMinAge AS pastMinAge, "end" < :old AS old,
       (hidden = 1 OR state = 'cancelled') AND kind NOT LIKE 'openvz%' AS dropped
     FROM task WHERE id < :before ORDER BY id DESC`,
  );
  const drop = db.prepare("DELETE FROM task WHERE id = ?");
  return ({ now, minAge, maxAge, maxCount, from }) => {
    let final = from?.final ?? 0;
    const bounds = { pastMinAge: now - minAge, old: now - maxAge, before: from?.before ?? Number.MAX_SAFE_INTEGER };
    const { items, next } = readPage(
      readRows.iterate(bounds) as Iterable<unknown> as Iterable<Purgeable>,
      (row) => {
        const beyond = final++ >= maxCount;
        return row.pastMinAge === 1 && (beyond || row.old === 1 || row.dropped === 1) ? row.id : undefined;
      },
      maxChanges,
    );
    for (const id of items) drop.run(id);
    return { dropped: items.length, next: next === null ? null : { before: next, final } };
  };
}

/** Deletes old idempotency keys, jobs and events. */
function createRecordPurge(db: DatabaseSync): TaskVerbs["purgeRecords"] {
  const dropKeys = db.prepare(
    "DELETE FROM idempotency WHERE (user, key) IN (SELECT user, key FROM idempotency WHERE at < ? LIMIT ?)",
  );
  const dropJobs = db.prepare(dropOpenvzJobs);
  const dropEvents = db.prepare(
    `DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - ?1
       AND seq < (SELECT min(seq) FROM event) + ?2`,
  );
  return ({ now, minAge, maxEvents }) => {
    const dropped = [dropKeys.run(now - minAge, maxDeletes), dropJobs.run(), dropEvents.run(maxEvents, maxDeletes)];
    return dropped.reduce((sum, { changes }) => sum + Number(changes), 0);
  };
}
