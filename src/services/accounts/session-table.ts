import { hash, randomBytes } from "node:crypto";
import type { AccountStore, SessionRow } from "../../storage/account-store.ts";
import type { StationClock } from "./station-clock.ts";

const idleLimit = 30 * 60_000;
const lifeLimit = 12 * 3600_000;
/** Milliseconds that the last use in the store may be behind. */
const touchEvery = 60_000;
const sessionsPerUser = 20;

/**
 * A session. `seen`, `ends` and `touched` are milliseconds of `performance.now()`, so that a jump of the wall clock ends no
 * session.
 */
export interface Session {
  /** SHA-256 of the session's id, hexadecimal. */
  hash: string;
  /** Name of the user. */
  user: string;
  /** Address of the peer that logged in. */
  address: string;
  /** When the user logged in, in epoch milliseconds of the station's clock. */
  loginAt: number;
  /** When it was used last. */
  seen: number;
  /** When it ends at the latest. */
  ends: number;
  /** The last use that is in the store. */
  touched: number;
}

/** Returns the hash by which the store and the table know a session. */
export function sessionHash(sid: string): string {
  return hash("sha256", sid);
}

export type SessionTable = Awaited<ReturnType<typeof createSessionTable>>;

/** Makes the table of sessions. The store has only the hashes of their ids. */
export async function createSessionTable(accounts: AccountStore, clock: StationClock) {
  const live = new Map<string, Session>();
  const now = clock.now();
  const limits = { idleSince: now - idleLimit, begunSince: now - lifeLimit };
  // A session that was used later than now is refused, because its age is unknown.
  for (const row of await accounts.sessions({ ...limits, now })) live.set(row.hash, remember(row, now));

  function drop(session: Session): void {
    live.delete(session.hash);
    accounts.removeSession(session.hash).catch(() => undefined);
  }

  function isLive({ seen, ends }: Session): boolean {
    const time = performance.now();
    return time - seen < idleLimit && time < ends;
  }

  return {
    find(sid: string | undefined): Session | undefined {
      if (!sid || sid.length > 256) return undefined;
      const session = live.get(sessionHash(sid));
      if (!session || isLive(session)) return session;
      drop(session);
      return undefined;
    },
    drop,
    /** Ends a session. That is on disk when it resolves. */
    async end(session: Session): Promise<void> {
      live.delete(session.hash);
      await accounts.removeSession(session.hash);
    },
    touch(session: Session): void {
      session.seen = performance.now();
      if (session.seen - session.touched < touchEvery) return;
      session.touched = session.seen;
      accounts.touchSession({ hash: session.hash, seenAt: clock.now() }).catch(() => undefined);
    },
    /** Begins a session and returns its id, which is kept nowhere. Of more than 20 sessions of a user the oldest end. */
    async begin(begun: Pick<Session, "user" | "address" | "loginAt">): Promise<{ sid: string; session: Session }> {
      const sid = randomBytes(32).toString("base64url");
      const seenAt = clock.now();
      const row: SessionRow = { ...begun, hash: sessionHash(sid), seenAt };
      const ended = await accounts.addSession({ session: row, keep: sessionsPerUser });
      for (const key of ended) live.delete(key);
      const session = remember(row, seenAt);
      live.set(row.hash, session);
      return { sid, session };
    },
    list: () => [...live.values()].filter(isLive),
  };
}

/** `time`: now, by the station's clock. */
function remember(row: SessionRow, time: number): Session {
  const now = performance.now();
  return {
    hash: row.hash,
    user: row.user,
    address: row.address,
    loginAt: row.loginAt,
    seen: now - Math.max(0, time - row.seenAt),
    ends: now + lifeLimit - Math.max(0, time - row.loginAt),
    touched: now,
  };
}
