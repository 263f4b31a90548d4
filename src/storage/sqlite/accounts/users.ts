import type { DatabaseSync } from "node:sqlite";
import type { AccountVerbs, KeptLogins, UserRow } from "../../account-store.ts";

type UserChangeRequest = Parameters<AccountVerbs["changeUser"]>[0];

/** The verbs of users. */
export function createUserVerbs(db: DatabaseSync, host: string) {
  const columns = "name, role, password_hash AS passwordHash, source, disabled, totp, created_at AS createdAt";
  const all = db.prepare(`SELECT ${columns} FROM user ORDER BY name`);
  const get = db.prepare(`SELECT ${columns} FROM user WHERE name = ?`);
  const save = db.prepare(
    `INSERT INTO user (name, role, password_hash, created_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET role = excluded.role, password_hash = excluded.password_hash, source = 'local', disabled = 0`,
  );
  const alike = db.prepare("SELECT 1 FROM user WHERE name = ? COLLATE NOCASE");
  const insert = db.prepare("INSERT INTO user (name, role, password_hash, source, created_at) VALUES (?, ?, ?, ?, ?)");
  const change = db.prepare(
    `UPDATE user SET role = coalesce(?, role), disabled = coalesce(?, disabled), password_hash = coalesce(?, password_hash)
     WHERE name = ?`,
  );
  const otherAdmin = db.prepare(
    "SELECT 1 FROM user WHERE role = 'admin' AND disabled = 0 AND source = 'local' AND name <> ?",
  );
  const disown = createDisown(db, host);
  const logOut = createLogOut(db);
  const find = (name: string) => {
    const row = get.get(name);
    return row && toUser(row);
  };
  const isLastAdmin = (user: UserRow) =>
    user.role === "admin" && !user.disabled && user.source === "local" && !otherAdmin.get(user.name);

  return {
    users: () => all.all().map(toUser),
    getUser: find,
    saveUser({ name, role, passwordHash }: Parameters<AccountVerbs["saveUser"]>[0]): void {
      save.run(name, role, passwordHash, Date.now());
      logOut(name, {});
    },
    addUser(user: Parameters<AccountVerbs["addUser"]>[0]) {
      if (alike.get(user.name)) return "taken" as const;
      insert.run(user.name, user.role, user.passwordHash, user.source, user.createdAt);
      return "added" as const;
    },
    changeUser({ name, change: to, keeps = {} }: UserChangeRequest) {
      const user = find(name);
      if (!user) return "unknown" as const;
      const weaker = to.disabled === true || (to.role !== undefined && to.role !== "admin");
      if (weaker && isLastAdmin(user)) return "last_admin" as const;
      const disabled = to.disabled === undefined ? null : Number(to.disabled);
      change.run(to.role ?? null, disabled, to.passwordHash ?? null, name);
      if (to.passwordHash !== undefined) logOut(name, keeps);
      // What an admin made may be more than he may have now.
      if (user.role === "admin" && to.role !== undefined && to.role !== "admin") disown(name);
      return "done" as const;
    },
    removeUser: createRemoval(db, host, { find, isLastAdmin }),
  };
}

/** Whoever knew the old password has nothing left of it. */
function createLogOut(db: DatabaseSync): (name: string, keeps: KeptLogins) => void {
  const endSessions = db.prepare("DELETE FROM session WHERE user = ? AND hash IS NOT ?");
  const endTokens = db.prepare("DELETE FROM api_token WHERE user = ?");
  return (name, { session, tokens }) => {
    endSessions.run(name, session ?? null);
    if (!tokens) endTokens.run(name);
  };
}

interface Lookups {
  find(name: string): UserRow | undefined;
  isLastAdmin(user: UserRow): boolean;
}

function createRemoval(db: DatabaseSync, host: string, { find, isLastAdmin }: Lookups) {
  const drops = [
    db.prepare("DELETE FROM session WHERE user = ?"),
    db.prepare("DELETE FROM api_token WHERE user = ?"),
    db.prepare("DELETE FROM recovery_code WHERE user = ?"),
    db.prepare("DELETE FROM known_network WHERE user = ?"),
    db.prepare("DELETE FROM idempotency WHERE user = ?"),
    db.prepare("DELETE FROM user WHERE name = ?"),
  ];
  // A later user of the same name is another one: no user's name has a space.
  const orphan = db.prepare("UPDATE task SET user = user || ' (removed)' WHERE user = ?");
  const disown = createDisown(db, host);
  return (name: string) => {
    const user = find(name);
    if (!user) return "unknown" as const;
    if (isLastAdmin(user)) return "last_admin" as const;
    for (const drop of drops) drop.run(name);
    disown(name);
    orphan.run(name);
    return "done" as const;
  };
}

/** Returns a function that takes a user's containers away, so that they belong to nobody, with or without their tasks. */
function createDisown(db: DatabaseSync, host: string): (name: string) => void {
  const ofTasks = db.prepare("UPDATE task SET makes = 0 WHERE host = ? AND user = ? AND makes = 1");
  const ofOld = db.prepare("DELETE FROM task_owner WHERE host = ? AND user = ?");
  return (name) => [ofTasks, ofOld].forEach((statement) => statement.run(host, name));
}

function toUser(row: Record<string, unknown>): UserRow {
  return { ...row, disabled: row["disabled"] === 1 } as UserRow;
}
