import type { DatabaseSync } from "node:sqlite";
import type { AccountVerbs, SessionRow, UserRow } from "../account-store.ts";

export function accountSql(db: DatabaseSync): AccountVerbs {
  const getUser = db.prepare("SELECT name, role, password_hash AS passwordHash FROM user WHERE name = ?");
  const saveUser = db.prepare(
    `INSERT INTO user (name, role, password_hash) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET role = excluded.role, password_hash = excluded.password_hash`,
  );
  const addSession = db.prepare("INSERT INTO session (hash, user, login_at, seen_at) VALUES (?, ?, ?, ?)");
  const dropOldest = db.prepare(
    `DELETE FROM session WHERE hash IN
       (SELECT hash FROM session WHERE user = ? ORDER BY seen_at DESC, login_at DESC, hash LIMIT -1 OFFSET ?) RETURNING hash`,
  );
  const touch = db.prepare("UPDATE session SET seen_at = ? WHERE hash = ?");
  const remove = db.prepare("DELETE FROM session WHERE hash = ?");
  const dropEnded = db.prepare("DELETE FROM session WHERE seen_at < ? OR login_at < ?");
  const sessions = db.prepare("SELECT hash, user, login_at AS loginAt, seen_at AS seenAt FROM session");
  return {
    getUser: (name) => getUser.get(name) as unknown as UserRow | undefined,
    saveUser({ name, role, passwordHash }) {
      saveUser.run(name, role, passwordHash);
    },
    addSession({ session, keep }) {
      addSession.run(session.hash, session.user, session.loginAt, session.seenAt);
      return dropOldest.all(session.user, keep).map((row) => row["hash"] as string);
    },
    touchSession({ hash, seenAt }) {
      touch.run(seenAt, hash);
    },
    removeSession(hash) {
      remove.run(hash);
    },
    sessions({ idleSince, begunSince }) {
      dropEnded.run(idleSince, begunSince);
      return sessions.all() as unknown as SessionRow[];
    },
  };
}
