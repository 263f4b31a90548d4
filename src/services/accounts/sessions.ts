import type { SessionEntry } from "../../api/account.ts";
import type { SessionInfo } from "../../api/session.ts";
import { AppError, hasCode, invalid, messageOf } from "../../errors.ts";
import type { UserRow } from "../../storage/account-store.ts";
import type { Credentials } from "./credentials.ts";
import type { Directory } from "./directory.ts";
import type { TokenTable } from "./token-table.ts";
import type { Audit } from "../audit/audit.ts";
import { authorize, onlyOf, type User } from "../access/policy.ts";
import type { Login, SessionService } from "../contract/account-services.ts";
import type { Caller } from "../contract/caller.ts";
import type { Session, SessionTable } from "./session-table.ts";
import type { StationClock } from "./station-clock.ts";

/** Of a session's hash, what names it in a list. */
const idLength = 16;

export interface Sessions extends SessionService {
  /** Who is calling; throws `unauthenticated`. `quiet` does not count as activity. */
  authenticate(caller: Caller, quiet?: boolean): User;
  /** As `authenticate`, quietly, for who only wants to know. */
  peek(caller: Caller): User | undefined;
  /** Ends all sessions of a user, but that of this caller; returns how many. */
  end(user: string, except?: Caller): Promise<number>;
}

export interface SessionOptions {
  table: SessionTable;
  directory: Directory;
  tokens: TokenTable;
  credentials: Credentials;
  audit: Audit;
  clock: StationClock;
}

export function createSessions({ table, directory, tokens, credentials, audit, clock }: SessionOptions): Sessions {
  /** A session is worth what its user is now. */
  function find(sid: string | undefined): { session: Session; user: UserRow } | undefined {
    const session = table.find(sid);
    const user = session && directory.get(session.user);
    if (session && user && !user.disabled) return { session, user };
    if (session) table.drop(session);
    return undefined;
  }

  function required({ sid }: Caller): { session: Session; user: UserRow } {
    const found = find(sid);
    if (!found)
      throw new AppError("unauthenticated", "There is no session, or it has expired: log in first, or send a token.");
    return found;
  }

  function authenticate(caller: Caller, quiet = false): User {
    if (caller.token !== undefined) {
      const found = tokens.find(caller.token);
      if (!found) throw new AppError("unauthenticated", "This token is unknown, was revoked or has expired.");
      return found.user;
    }
    const { session, user } = required(caller);
    if (!quiet) table.touch(session);
    return { name: user.name, role: user.role };
  }

  async function userOf({ address }: Caller, request: Login): Promise<UserRow> {
    if (request.sid !== undefined) {
      const found = find(request.sid);
      if (!found) throw new AppError("unauthenticated", "This sid is unknown or has expired.");
      return found.user;
    }
    const { username, password, code } = request;
    if (username === undefined) throw invalid("username", "is missing");
    if (password === undefined) throw invalid("password", "is missing");
    return credentials.check({ username, password, code }, address);
  }

  /** Every try is written down, but not what was never one. */
  async function loggedIn(caller: Caller, request: Login): Promise<UserRow> {
    const act = { address: caller.address, action: "login" };
    try {
      const user = await userOf(caller, request);
      await audit.done({ ...act, user: user.name, target: user.name }, `Login: ${user.name}`);
      return user;
    } catch (error) {
      const target = request.username ?? "a sid";
      if (!hasCode(error, "invalid"))
        audit.refused({ ...act, user: "", target }, `Login of ${target}: ${messageOf(error)}`);
      throw error;
    }
  }

  return {
    authenticate,
    peek(caller) {
      if (caller.token !== undefined) return tokens.find(caller.token)?.user;
      const user = find(caller.sid)?.user;
      return user && { name: user.name, role: user.role };
    },
    async end(name, except) {
      const kept = except && table.find(except.sid);
      const ended = table.list().filter((session) => session.user === name && session !== kept);
      await Promise.all(ended.map(table.end));
      return ended.length;
    },
    async login(caller, request) {
      const user = await loggedIn(caller, request);
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
        caller.token === undefined ? required(caller).session.loginAt : tokens.find(caller.token)?.createdAt;
      return infoOf(user, clock.shown(since ?? 0));
    },
    async check(caller) {
      authenticate(caller);
    },
    async logout(caller) {
      const user = authenticate(caller);
      authorize(user, "session:end");
      if (user.token !== undefined) throw new AppError("forbidden", "A token does not log out: revoke it instead.");
      await table.end(required(caller).session);
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
      const ended =
        id === undefined
          ? all.filter((session) => session.user === user.name && session !== current)
          : all.filter((session) => idOf(session) === id);
      authorize(
        user,
        "session:remove",
        ended.map((session) => ({ owner: session.user, name: `session ${id}` })),
      );
      if (id !== undefined && ended.length === 0) throw new AppError("not_found", `There is no session ${id}.`);
      for (const session of ended) await table.end(session);
      return ended.map(idOf);
    },
  };
}

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
