import type { DatabaseSync } from "node:sqlite";
import { accountTables } from "./accounts.ts";
import { hostIds } from "./host-ids.ts";
import { listedTasks } from "./listed-tasks.ts";
import { taskOwners } from "./task-owners.ts";
import { taskUsage } from "./task-usage.ts";
import { openvzTables } from "./openvz.ts";

/**
 * The migrations in their order. The list is append only: a migration that has run somewhere is never edited. `PRAGMA
 * user_version` counts those that have run. Tables that a second host would share have a column `host`.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE worker (host TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seen_at INTEGER NOT NULL) STRICT;
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  CREATE TABLE task (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    name TEXT NOT NULL,
    user TEXT NOT NULL,
    params TEXT NOT NULL,
    state TEXT NOT NULL,
    creates TEXT,
    init INTEGER NOT NULL,
    start INTEGER,
    "end" INTEGER,
    result INTEGER,
    error TEXT,
    detail TEXT NOT NULL DEFAULT '',
    progress INTEGER NOT NULL DEFAULT -1,
    pivot INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    debt INTEGER NOT NULL DEFAULT 0,
    hidden INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX task_active ON task (host) WHERE state IN ('waiting', 'running', 'undoing') OR debt = 1;
  CREATE UNIQUE INDEX task_creates ON task (host, creates) WHERE creates IS NOT NULL;

  CREATE TABLE task_lock (
    task INTEGER NOT NULL, host TEXT NOT NULL, key TEXT NOT NULL, mode TEXT NOT NULL,
    PRIMARY KEY (task, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE task_step (
    task INTEGER NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, undo TEXT, out TEXT,
    PRIMARY KEY (task, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE port_claim (
    host TEXT NOT NULL, protocol TEXT NOT NULL, port INTEGER NOT NULL, owner TEXT NOT NULL, task INTEGER NOT NULL,
    PRIMARY KEY (host, protocol, port)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX port_claim_owner ON port_claim (owner);
  CREATE INDEX port_claim_task ON port_claim (task);

  CREATE TABLE idempotency (
    user TEXT NOT NULL, key TEXT NOT NULL, hash TEXT NOT NULL, task INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (user, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL, ts INTEGER NOT NULL, kind TEXT NOT NULL, user TEXT NOT NULL, data TEXT NOT NULL
  ) STRICT;

  CREATE TABLE user (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, password_hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE session (
    hash TEXT PRIMARY KEY, user TEXT NOT NULL, login_at INTEGER NOT NULL, seen_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX session_user ON session (user, login_at);

  CREATE TABLE registry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE, url TEXT NOT NULL, username TEXT NOT NULL, password TEXT NOT NULL,
    version TEXT NOT NULL, trust_certificate INTEGER NOT NULL, is_default INTEGER NOT NULL
  ) STRICT;
  INSERT INTO sqlite_sequence (name, seq) VALUES ('registry', 1);
  `,
  accountTables,
  taskOwners,
  openvzTables,
  // Registries that were saved before this check existed are allowed to be inside.
  "ALTER TABLE registry ADD COLUMN inside INTEGER NOT NULL DEFAULT 1",
  listedTasks,
  taskUsage,
  hostIds,
];

export class NewerDatabaseError extends Error {}

/**
 * Runs the missing migrations in one transaction. Throws NewerDatabaseError if a newer version has written the database.
 * Rows of versions without host ids are given to `host`. `to` stops at an earlier version, for tests of migrations.
 */
export function migrate(db: DatabaseSync, host: string, to = migrations.length): void {
  const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
  if (version > migrations.length) throw new NewerDatabaseError();
  if (version === to) return;
  db.function("this_host", () => host);
  db.exec("BEGIN IMMEDIATE");
  for (const migration of migrations.slice(version, to)) db.exec(migration);
  db.exec(`PRAGMA user_version = ${to}`);
  db.exec("COMMIT");
}
