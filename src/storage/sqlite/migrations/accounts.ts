/** Adds roles, tokens and second steps to accounts, and makes the tables of the audit log and of owners. */
export const accountTables = `
  ALTER TABLE user ADD COLUMN source TEXT NOT NULL DEFAULT 'local';
  ALTER TABLE user ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE user ADD COLUMN totp TEXT NOT NULL DEFAULT '';
  ALTER TABLE user ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE user ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE session ADD COLUMN address TEXT NOT NULL DEFAULT '';
  ALTER TABLE task ADD COLUMN address TEXT NOT NULL DEFAULT '';

  CREATE TABLE recovery_code (user TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (user, hash)) STRICT, WITHOUT ROWID;
  CREATE TABLE known_network (
    user TEXT NOT NULL, network TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (user, network)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE api_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL UNIQUE, user TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, UNIQUE (user, name)
  ) STRICT;

  CREATE TABLE task_owner (
    host TEXT NOT NULL, task INTEGER NOT NULL, user TEXT NOT NULL, PRIMARY KEY (host, task)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO task_owner (host, task, user) SELECT host, id, user FROM task WHERE kind = 'create';

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL, ts INTEGER NOT NULL, level TEXT NOT NULL, category TEXT NOT NULL, user TEXT NOT NULL,
    address TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, result TEXT NOT NULL, message TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_ts ON audit (ts);
  CREATE TRIGGER audit_append_only BEFORE UPDATE ON audit
    WHEN OLD.result <> 'begun' OR NEW.ts <> OLD.ts OR NEW.user <> OLD.user OR NEW.address <> OLD.address
      OR NEW.action <> OLD.action OR NEW.target <> OLD.target
    BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
  `;
