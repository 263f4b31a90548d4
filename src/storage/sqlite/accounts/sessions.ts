import type { DatabaseSync } from "node:sqlite";
import type { AccountVerbs, SessionRow } from "../../account-store.ts";

/** The verbs of sessions and known networks. */
export function createSessionVerbs(db: DatabaseSync) {
  const addSession = db.prepare("INSERT INTO session (hash, user, address, login_at, seen_at) VALUES (?, ?, ?, ?, ?)");
  const dropOldest = db.prepare(
    `DELETE FROM session WHERE hash IN
       (SELECT hash FROM session WHERE user = ? ORDER BY seen_at DESC, login_at DESC, hash LIMIT -1 OFFSET ?) RETURNING hash`,
  );
  const touch = db.prepare("UPDATE session SET seen_at = ? WHERE hash = ?");
  const remove = db.prepare("DELETE FROM session WHERE hash = ?");
  const dropEnded = db.prepare("DELETE FROM session WHERE seen_at < ? OR login_at < ? OR max(seen_at, login_at) > ?");
  const sessions = db.prepare("SELECT hash, user, address, login_at AS loginAt, seen_at AS seenAt FROM session");
  const networks = db.prepare("SELECT user, network FROM known_network ORDER BY at");
  const addNetwork = db.prepare(
    "INSERT INTO known_network (user, network, at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
  );
  const dropNetworks = db.prepare(
    `DELETE FROM known_network WHERE user = ?1 AND network IN
       (SELECT network FROM known_network WHERE user = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)`,
  );
  return {
    addSession({ session, keep }: { session: SessionRow; keep: number }): string[] {
      addSession.run(session.hash, session.user, session.address, session.loginAt, session.seenAt);
      return dropOldest.all(session.user, keep).map((row) => row["hash"] as string);
    },
    touchSession({ hash, seenAt }: { hash: string; seenAt: number }): void {
      touch.run(seenAt, hash);
    },
    removeSession(hash: string): void {
      remove.run(hash);
    },
    sessions({ idleSince, begunSince, now }: Parameters<AccountVerbs["sessions"]>[0]): SessionRow[] {
      dropEnded.run(idleSince, begunSince, now);
      return sessions.all() as unknown as SessionRow[];
    },
    knownNetworks: () => networks.all() as { user: string; network: string }[],
    addKnownNetwork({ user, network, at, keep }: Parameters<AccountVerbs["addKnownNetwork"]>[0]): void {
      addNetwork.run(user, network, at);
      dropNetworks.run(user, keep);
    },
  };
}
