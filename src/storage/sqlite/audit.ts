import type { DatabaseSync } from "node:sqlite";
import type { AuditEntry, AuditPart, AuditRow, AuditScan, AuditVerbs } from "../audit-store.ts";

const columns = "id, ts, level, category, user, address, action, target, result, message";
/** SQL of the id up to which entries are hidden, or 0. */
const clearedUpTo = "(SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM setting WHERE name = 'log_cleared')";

/** How many entries one call looks at, or deletes: other calls wait for the store meanwhile. */
const maxRead = 2000;
const maxDeletes = 1000;

/** The verbs of the audit log. */
export function createAuditVerbs(db: DatabaseSync, host: string): AuditVerbs {
  const add = createAuditWriter(db, host);
  const settle = db.prepare("UPDATE audit SET level = ?, result = ?, message = ? WHERE id = ? AND result = 'begun'");
  const dropOld = db.prepare("DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE ts < ? ORDER BY ts LIMIT ?)");
  const dropBeyond = db.prepare(
    `DELETE FROM audit WHERE id IN
       (SELECT id FROM audit WHERE id <= (SELECT coalesce(max(id), 0) FROM audit) - ? ORDER BY id LIMIT ?)`,
  );
  const visible = db.prepare(`SELECT count(*) AS n FROM audit WHERE id > ${clearedUpTo}`);
  const hide = db.prepare(
    `INSERT INTO setting (name, value) SELECT 'log_cleared', max(id) FROM audit HAVING max(id) IS NOT NULL
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  );
  return {
    add,
    begin: add,
    setResult({ id, level, result, message }) {
      settle.run(level, result, message, id);
    },
    ...auditReads(db),
    clear(entry) {
      const hidden = Number(visible.get()?.["n"]);
      hide.run();
      add(entry);
      return hidden;
    },
    purge({ before, maxRows }) {
      const dropped = [dropOld.run(before, maxDeletes), dropBeyond.run(maxRows, maxDeletes)];
      return dropped.reduce((sum, { changes }) => sum + Number(changes), 0);
    },
  };
}

function auditReads(db: DatabaseSync): Pick<AuditVerbs, "list" | "scan" | "newest"> {
  const newest = db.prepare("SELECT coalesce(max(id), 0) AS id FROM audit");
  const begin = db.prepare(
    `SELECT min(id) AS id FROM (SELECT id FROM audit WHERE id > ${clearedUpTo} AND id < ? ORDER BY id DESC LIMIT ?)`,
  );
  const end = db.prepare(
    `SELECT max(id) AS id FROM (SELECT id FROM audit WHERE id > max(?, ${clearedUpTo}) AND id <= ? ORDER BY id LIMIT ?)`,
  );
  return {
    list({ filter, before, skip, limit }: AuditPart) {
      const from = before ?? Number.MAX_SAFE_INTEGER;
      const first = (begin.get(from, maxRead)?.["id"] ?? null) as number | null;
      const rows: AuditRow[] = [];
      let skipped = 0;
      if (first === null) return { rows, skipped, next: null };
      const { where, values } = toConditions(filter);
      const sql = `SELECT ${columns} FROM audit NOT INDEXED WHERE id >= ? AND id < ? ${where} ORDER BY id DESC`;
      for (const row of db.prepare(sql).iterate(first, from, ...values)) {
        if (rows.length === limit) break;
        if (skipped < skip) skipped++;
        else rows.push(row as unknown as AuditRow);
      }
      return { rows, skipped, next: rows.length === limit ? null : first };
    },
    scan({ filter, after, until, span }: AuditScan) {
      const last = (end.get(after, until, span)?.["id"] ?? null) as number | null;
      if (last === null) return { rows: [], last };
      const { where, values } = toConditions(filter);
      // NOT INDEXED: rows are found by id alone, because an index of a filtered column would read beyond this part.
      const range = `id > max(?, ${clearedUpTo}) AND id <= ?`;
      const sql = `SELECT ${columns} FROM audit NOT INDEXED WHERE ${range} ${where} ORDER BY id`;
      return { rows: db.prepare(sql).all(after, last, ...values) as unknown as AuditRow[], last };
    },
    newest: () => Number(newest.get()?.["id"]),
  };
}

/** Returns a function that appends an entry and returns its id. */
export function createAuditWriter(db: DatabaseSync, host: string) {
  const insert = db.prepare(
    `INSERT INTO audit (host, ts, level, category, user, address, action, target, result, message)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return ({ ts, level, category, user, address, action, target, result, message }: AuditEntry): number =>
    Number(insert.run(host, ts, level, category, user, address, action, target, result, message).lastInsertRowid);
}

/** Converts a filter to SQL. The text is searched for as it is: a pattern of the caller never runs here. */
function toConditions({ start, end, user, levels, categories, text }: AuditScan["filter"]) {
  const parts: [sql: string, values: (string | number)[]][] = [];
  const oneOf = (column: string, list: readonly string[]) =>
    parts.push([`${column} IN (${list.map(() => "?").join(", ")})`, [...list]]);
  if (start !== undefined) parts.push(["ts >= ?", [start]]);
  if (end !== undefined) parts.push(["ts <= ?", [end]]);
  if (user !== undefined) parts.push(["user = ?", [user]]);
  if (levels) oneOf("level", levels);
  if (categories) oneOf("category", categories);
  if (text !== undefined) parts.push(["instr(lower(message), lower(?)) > 0", [text]]);
  const where = parts.map(([sql]) => `AND ${sql}`).join(" ");
  return { where, values: parts.flatMap(([, values]) => values) };
}
