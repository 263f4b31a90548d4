import type { SessionEntry } from "../../api/account.ts";
import type { SessionInfo } from "../../api/session.ts";
import { AppError } from "../../errors.ts";
import type { UserRow } from "../../storage/account-store.ts";
import type { Credentials } from "./credentials.ts";
import type { Directory } from "./directory.ts";
import type { TokenTable } from "./token-table.ts";
import type { Audit } from "../audit/audit.ts";
import { authorize, onlyOf, type User } from "../access/policy.ts";
import type { SessionService } from "../contract/account-services.ts";
import type { Caller } from "../contract/caller.ts";
import { createLogin } from "./login.ts";
import type { Session, SessionTable } from "./session-table.ts";
import type { StationClock } from "./station-clock.ts";

/** Characters of a session's hash that name it in a list. */
const idLength = 16;

export interface Sessions extends SessionService {
  /** Returns the user who calls. Throws `unauthenticated`. A `quiet` call does not count as activity. */
  authenticate(caller: Caller, quiet?: boolean): User;
  /** Returns the user who calls, if there is one, without counting it as activity. */
  peek(caller: Caller): User | undefined;
  /** Ends all sessions of a user except this caller's. Returns how many. */
  end(user: string, except?: Caller): Promise<number>;
}

export interface SessionOptions {
  /** The sessions, in memory. */
  table: SessionTable;
  /** The users, in memory. */
  directory: Directory;
  /** The tokens, in memory. */
  tokens: TokenTable;
  /** Checks passwords and second steps. */
  credentials: Credentials;
  /** Writes the activity log. */
  audit: Audit;
  /** The clock by which sessions and tokens expire. */
  clock: StationClock;
}

/** Makes the service of sessions, and what tells who calls. */
export function createSessions(options: SessionOptions): Sessions {
  const { table, directory, tokens, credentials, audit, clock } = options;
  const authenticate = (caller: Caller, quiet = false): User => authenticateCaller(options, caller, quiet);
  const userOfSession = (sid: string): UserRow | undefined => findSession(options, sid)?.user;
  const logIn = createLogin({ credentials, audit, userOfSession });

  return {
    authenticate,
    peek(caller) {
      if (caller.token !== undefined) return tokens.find(caller.token)?.user;
      const user = findSession(options, caller.sid)?.user;
      return user && { name: user.name, role: user.role };
    },
    async end(name, except) {
      const kept = except && table.find(except.sid);
      const ended = table.list().filter((session) => session.user === name && session !== kept);
      await Promise.all(ended.map(table.end));
      return ended.length;
    },
    async login(caller, request) {
      const user = await logIn(caller, request);
      // A session that was lent by another ends no later than that one would.
      const loginAt = table.find(request.sid)?.loginAt ?? clock.now();
      const before = table.find(caller.sid);
      if (before) table.drop(before);
      const { sid, session } = await table.begin({ user: user.name, address: caller.address, loginAt });
      // A new password ended all sessions that there were; this one was begun by the old one.
      if (!directory.isCurrent(user)) {
        await table.end(session);
        throw new AppError("unauthenticated", "The account was changed during the login: log in again.");
      }
      return { sid, session: infoOf(user, clock.shown(session.loginAt)) };
    },
    async refresh(caller) {
      const user = authenticate(caller);
      authorize(user, "session:refresh");
      const since =
        caller.token === undefined
          ? requireSession(options, caller).session.loginAt
          : tokens.find(caller.token)?.createdAt;
      return infoOf(user, clock.shown(since ?? 0));
    },
    async check(caller) {
      authenticate(caller);
    },
    async logout(caller) {
      const user = authenticate(caller);
      authorize(user, "session:end");
      if (user.token !== undefined) throw new AppError("forbidden", "A token does not log out: revoke it instead.");
      await table.end(requireSession(options, caller).session);
      return { username: user.name };
    },
    async list(caller) {
      const user = authenticate(caller);
      const only = onlyOf(user, "session:list");
      const current = table.find(caller.sid);
      const visible = table.list().filter((session) => only === undefined || session.user === only);
      return visible.map((session) => entryOf(session, { current: session === current, clock }));
    },
    async remove(caller, id) {
      const user = authenticate(caller);
      authorize(user, "session:remove");
      const all = table.list();
      const current = table.find(caller.sid);
      const isEnded = (session: Session): boolean =>
        id === undefined ? session.user === user.name && session !== current : idOf(session) === id;
      const ended = all.filter(isEnded);
      const targets = ended.map((session) => ({ owner: session.user, name: `session ${id}` }));
      authorize(user, "session:remove", targets);
      if (id !== undefined && ended.length === 0) throw new AppError("not_found", `There is no session ${id}.`);
      for (const session of ended) await table.end(session);
      return ended.map(idOf);
    },
  };
}

type SessionParts = Pick<SessionOptions, "table" | "directory" | "tokens">;

/** Finds a session with its user as the user is now. The session of a user that is gone or disabled is dropped. */
function findSession(
  { table, directory }: SessionParts,
  sid: string | undefined,
): { session: Session; user: UserRow } | undefined {
  const session = table.find(sid);
  const user = session && directory.get(session.user);
  if (session && user && !user.disabled) return { session, user };
  if (session) table.drop(session);
  return undefined;
}

function requireSession(parts: SessionParts, { sid }: Caller): { session: Session; user: UserRow } {
  const found = findSession(parts, sid);
  if (!found)
    throw new AppError("unauthenticated", "There is no session, or it has expired: log in first, or send a token.");
  return found;
}

function authenticateCaller(parts: SessionParts, caller: Caller, quiet: boolean): User {
  if (caller.token !== undefined) {
    const found = parts.tokens.find(caller.token);
    if (!found) throw new AppError("unauthenticated", "This token is unknown, was revoked or has expired.");
    return found.user;
  }
  const { session, user } = requireSession(parts, caller);
  if (!quiet) parts.table.touch(session);
  return { name: user.name, role: user.role };
}

/** Returns the id of a session in lists. */
function idOf(session: Session): string {
  return session.hash.slice(0, idLength);
}

function entryOf(session: Session, { current, clock }: { current: boolean; clock: StationClock }): SessionEntry {
  const idle = performance.now() - session.seen;
  return {
    id: idOf(session),
    username: session.user,
    address: session.address,
    login: Math.floor(clock.shown(session.loginAt) / 1000),
    seen: Math.floor((Date.now() - idle) / 1000),
    current,
  };
}

function infoOf(user: Pick<User, "name" | "role">, since: number): SessionInfo {
  return {
    anonymous: false,
    isAdmin: user.role === "admin",
    logintime: localTime(new Date(since)),
    username: user.name,
  };
}

/** "2021-08-11 16:54:45" */
function localTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}
