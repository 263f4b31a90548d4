import type { DatabaseSync } from "node:sqlite";
import type { AuditEntry, AuditFilter, AuditRow, AuditVerbs } from "../audit-store.ts";

export function auditSql(db: DatabaseSync, host: string): AuditVerbs {
  const add = auditWriter(db, host);
  const settle = db.prepare("UPDATE audit SET level = ?, result = ?, message = ? WHERE id = ? AND result = 'begun'");
  const drop = db.prepare("DELETE FROM audit WHERE ts < ? OR id <= (SELECT coalesce(max(id), 0) FROM audit) - ?");
  return {
    add,
    begin: add,
    settle({ id, level, result, message }) {
      settle.run(level, result, message, id);
    },
    list(filter) {
      const { where, values } = conditions(filter);
      const sql = `SELECT id, ts, level, category, user, address, action, target, result, message FROM audit ${where}
        ORDER BY id DESC LIMIT ? OFFSET ?`;
      return db.prepare(sql).all(...values, filter.limit, filter.offset) as unknown as AuditRow[];
    },
    purge: ({ before, maxRows }) => Number(drop.run(before, maxRows).changes),
  };
}

/** Appends an entry, and answers its id. */
export function auditWriter(db: DatabaseSync, host: string) {
  const insert = db.prepare(
    `INSERT INTO audit (host, ts, level, category, user, address, action, target, result, message)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return ({ ts, level, category, user, address, action, target, result, message }: AuditEntry): number =>
    Number(insert.run(host, ts, level, category, user, address, action, target, result, message).lastInsertRowid);
}

/** The text is looked for as it is, wherever it stands: no pattern of the caller's runs in here. */
function conditions({ start, end, user, levels, categories, text }: AuditFilter) {
  const parts: [sql: string, values: (string | number)[]][] = [];
  const oneOf = (column: string, list: readonly string[]) =>
    parts.push([`${column} IN (${list.map(() => "?").join(", ")})`, [...list]]);
  if (start !== undefined) parts.push(["ts >= ?", [start]]);
  if (end !== undefined) parts.push(["ts <= ?", [end]]);
  if (user !== undefined) parts.push(["user = ?", [user]]);
  if (levels) oneOf("level", levels);
  if (categories) oneOf("category", categories);
  if (text !== undefined) parts.push(["instr(lower(message), lower(?)) > 0", [text]]);
  const where = parts.length === 0 ? "" : `WHERE ${parts.map(([sql]) => sql).join(" AND ")}`;
  return { where, values: parts.flatMap(([, values]) => values) };
}
