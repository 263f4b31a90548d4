import { hash, randomBytes } from "node:crypto";
import type { SessionInfo } from "../api/session.ts";
import { AppError, invalid } from "../errors.ts";
import type { AccountStore, SessionRow, UserRow } from "../storage/account-store.ts";
import { passwordMatches } from "./password.ts";
import { authorize, type User } from "./policy.ts";
import type { Caller, SessionService } from "./services.ts";

const idleLimit = 30 * 60_000;
const lifeLimit = 12 * 3600_000;
/** How far behind the store's "last seen" may be. */
const touchEvery = 60_000;
const sessionsPerUser = 200;
/** No more than this is ever hashed. */
const passwordBytes = 1024;

interface Session {
  hash: string;
  user: User;
  loginAt: number;
  /** Monotonic, so that a jump of the wall clock ends no session. */
  seen: number;
  ends: number;
  touched: number;
}

export interface Sessions extends SessionService {
  /** Who is calling; throws `unauthenticated`. `quiet` does not count as activity. */
  authenticate(caller: Caller, quiet?: boolean): User;
}

/** Sessions live in memory and, by the hash of their id only, in the store. */
export async function createSessions(accounts: AccountStore): Promise<Sessions> {
  const live = new Map<string, Session>();
  await load(accounts, live);

  function find(sid: string | undefined): Session | undefined {
    if (!sid || sid.length > 256) return undefined;
    const session = live.get(hashOf(sid));
    if (!session) return undefined;
    const now = performance.now();
    if (now - session.seen < idleLimit && now < session.ends) return session;
    drop(session.hash);
    return undefined;
  }

  function drop(key: string): void {
    live.delete(key);
    accounts.removeSession(key).catch(() => undefined);
  }

  function touch(session: Session): void {
    session.seen = performance.now();
    if (session.seen - session.touched < touchEvery) return;
    session.touched = session.seen;
    accounts.touchSession({ hash: session.hash, seenAt: Date.now() }).catch(() => undefined);
  }

  function required({ sid }: Caller, quiet = false): Session {
    const session = find(sid);
    if (!session) throw new AppError("unauthenticated", "There is no session, or it has expired: log in first.");
    if (!quiet) touch(session);
    return session;
  }

  async function begin(user: UserRow, loginAt: number): Promise<{ sid: string; session: SessionInfo }> {
    const sid = randomBytes(32).toString("base64url");
    const row: SessionRow = { hash: hashOf(sid), user: user.name, loginAt, seenAt: Date.now() };
    const ended = await accounts.addSession({ session: row, keep: sessionsPerUser });
    for (const key of ended) live.delete(key);
    const session = remember(row, user);
    live.set(row.hash, session);
    return { sid, session: infoOf(session) };
  }

  async function userOf(request: Parameters<SessionService["login"]>[1]): Promise<UserRow> {
    if (request.sid !== undefined) {
      const user = await accounts.getUser(find(request.sid)?.user.name ?? "");
      if (!user) throw new AppError("unauthenticated", "This sid is unknown or has expired.");
      return user;
    }
    if (request.username === undefined) throw invalid("username", "is missing");
    if (request.password === undefined) throw invalid("password", "is missing");
    if (Buffer.byteLength(request.password) > passwordBytes)
      throw invalid("password", `is longer than ${passwordBytes} bytes`);
    const user = await accounts.getUser(request.username);
    if (await passwordMatches(request.password, user?.passwordHash)) return user as UserRow;
    throw new AppError("unauthenticated", "The user name or the password is wrong.");
  }

  return {
    authenticate: (caller, quiet) => required(caller, quiet).user,
    async login(caller, request) {
      const user = await userOf(request);
      // A session that was lent by another ends no later than that one would.
      const loginAt = find(request.sid)?.loginAt ?? Date.now();
      const before = find(caller.sid);
      if (before) drop(before.hash);
      return begin(user, loginAt);
    },
    async refresh(caller) {
      const session = required(caller);
      authorize(session.user, "session:refresh");
      return infoOf(session);
    },
    async check(caller) {
      required(caller);
    },
    async logout(caller) {
      const session = required(caller);
      authorize(session.user, "session:end");
      live.delete(session.hash);
      await accounts.removeSession(session.hash);
      return { username: session.user.name };
    },
  };
}

async function load(accounts: AccountStore, live: Map<string, Session>): Promise<void> {
  const now = Date.now();
  const users = new Map<string, UserRow | undefined>();
  for (const row of await accounts.sessions({ idleSince: now - idleLimit, begunSince: now - lifeLimit })) {
    if (!users.has(row.user)) users.set(row.user, await accounts.getUser(row.user));
    const user = users.get(row.user);
    if (user) live.set(row.hash, remember(row, user));
  }
}

function remember(row: SessionRow, user: UserRow): Session {
  const now = performance.now();
  const wall = Date.now();
  return {
    hash: row.hash,
    user: { name: user.name, role: user.role },
    loginAt: row.loginAt,
    seen: now - Math.max(0, wall - row.seenAt),
    ends: now + lifeLimit - Math.max(0, wall - row.loginAt),
    touched: now,
  };
}

function infoOf(session: Session): SessionInfo {
  return {
    anonymous: false,
    isAdmin: session.user.role === "admin",
    logintime: localTime(new Date(session.loginAt)),
    username: session.user.name,
  };
}

/** "2021-08-11 16:54:45" */
function localTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}

function hashOf(sid: string): string {
  return hash("sha256", sid);
}
