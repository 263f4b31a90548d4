import { hash, randomBytes } from "node:crypto";
import type { AccountStore, SessionRow } from "../storage/account-store.ts";

const idleLimit = 30 * 60_000;
const lifeLimit = 12 * 3600_000;
/** How far behind the store's "last seen" may be. */
const touchEvery = 60_000;
const sessionsPerUser = 20;

/** `seen`, `ends` and `touched` are monotonic, so that a jump of the wall clock ends no session. */
export interface Session {
  hash: string;
  user: string;
  address: string;
  /** Epoch milliseconds. */
  loginAt: number;
  seen: number;
  ends: number;
  touched: number;
}

/** What the store and the table know a session by. */
export function sessionHash(sid: string): string {
  return hash("sha256", sid);
}

export type SessionTable = Awaited<ReturnType<typeof createSessionTable>>;

/** Sessions live in memory and, by the hash of their id only, in the store. */
export async function createSessionTable(accounts: AccountStore) {
  const live = new Map<string, Session>();
  const now = Date.now();
  for (const row of await accounts.sessions({ idleSince: now - idleLimit, begunSince: now - lifeLimit })) {
    live.set(row.hash, remember(row));
  }

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
    /** On disk when it answers. */
    async end(session: Session): Promise<void> {
      live.delete(session.hash);
      await accounts.removeSession(session.hash);
    },
    touch(session: Session): void {
      session.seen = performance.now();
      if (session.seen - session.touched < touchEvery) return;
      session.touched = session.seen;
      accounts.touchSession({ hash: session.hash, seenAt: Date.now() }).catch(() => undefined);
    },
    /** Beyond 20 sessions of a user his oldest go. Answers the id too, which is kept nowhere. */
    async begin(begun: Pick<Session, "user" | "address" | "loginAt">): Promise<{ sid: string; session: Session }> {
      const sid = randomBytes(32).toString("base64url");
      const row: SessionRow = { ...begun, hash: sessionHash(sid), seenAt: Date.now() };
      const ended = await accounts.addSession({ session: row, keep: sessionsPerUser });
      for (const key of ended) live.delete(key);
      const session = remember(row);
      live.set(row.hash, session);
      return { sid, session };
    },
    list: () => [...live.values()].filter(isLive),
  };
}

function remember(row: SessionRow): Session {
  const now = performance.now();
  const wall = Date.now();
  return {
    hash: row.hash,
    user: row.user,
    address: row.address,
    loginAt: row.loginAt,
    seen: now - Math.max(0, wall - row.seenAt),
    ends: now + lifeLimit - Math.max(0, wall - row.loginAt),
    touched: now,
  };
}
