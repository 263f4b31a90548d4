import type {
  ChangedUser,
  NewUser,
  PasswordChange,
  PasswordChanged,
  SessionEntry,
  StationUser,
  Token,
  TokenRequest,
  UserChangeRequest,
} from "../../api/account.ts";
import type { LogCleared, LogEntry } from "../../api/log.ts";
import type { LoginRequest, SessionInfo } from "../../api/session.ts";
import type { Caller } from "./caller.ts";
import type { Download } from "./download.ts";

/** Part of the interface in services.ts: who may come in, and who did what. */

/** `code`: of the second step, by the ways that have one. */
export type Login = LoginRequest & { code?: string | undefined };

export interface SessionService {
  /**
   * Open. Answers the new session's id beside what the client is shown. A session sent along is ended. `forbidden` when
   * the account has a second step and no code came; `too_many` with `retryAfter` (s) after too many wrong passwords.
   */
  login(caller: Caller, request: Login): Promise<{ sid: string; session: SessionInfo }>;
  refresh(caller: Caller): Promise<SessionInfo>;
  /** Throws `unauthenticated` when there is no session. */
  check(caller: Caller): Promise<void>;
  /** Ends the session at once. */
  logout(caller: Caller): Promise<{ username: string }>;
  /** One's own; an admin's list has all. */
  list(caller: Caller): Promise<SessionEntry[]>;
  /** Ends the one of this id (of the list), or without an id all others of one's own. Answers the ids that ended. */
  remove(caller: Caller, id: string | undefined): Promise<string[]>;
}

export interface UserService {
  list(caller: Caller): Promise<StationUser[]>;
  create(caller: Caller, request: NewUser): Promise<StationUser>;
  /** Ends the user's sessions, and with a new password the tokens. `conflict` for what would leave no admin. */
  change(caller: Caller, username: string, request: UserChangeRequest): Promise<ChangedUser>;
  remove(caller: Caller, username: string): Promise<{ username: string }>;
  /** One's own; the other sessions and the tokens end. */
  changePassword(caller: Caller, request: PasswordChange): Promise<PasswordChanged>;
}

export interface TokenService {
  /** One's own; an admin's list has all. */
  list(caller: Caller): Promise<Token[]>;
  /** The only answer that has the token itself. */
  create(caller: Caller, request: TokenRequest): Promise<Token>;
  remove(caller: Caller, id: number): Promise<Token>;
}

/** The second step of one's own account. */
export interface SecondStepService {
  get(caller: Caller): Promise<{ enabled: boolean; recovery_codes: number }>;
  /** A secret for the app; it counts once `finish` has seen a code of it. */
  begin(caller: Caller, request: { password: string }): Promise<{ secret: string; uri: string }>;
  /** Answers the recovery codes, each good for one login, which are shown only now. */
  finish(caller: Caller, request: { code: string }): Promise<{ enabled: boolean; recovery_codes: string[] }>;
  end(
    caller: Caller,
    request: { password: string; code: string },
  ): Promise<{ enabled: boolean; recovery_codes: number }>;
}

/** Times are epoch seconds, 0 = any; an empty text = any. */
export interface LogFilter {
  start?: number | undefined;
  end?: number | undefined;
  user?: string | undefined;
  /** Comma-separated. */
  level?: string | undefined;
  /** Comma-separated. */
  category?: string | undefined;
  /** Part of the message, as it is. */
  text?: string | undefined;
}
export type LogPage = LogFilter & { limit?: number | undefined; offset?: number | undefined };

export interface LogService {
  /** Newest first. */
  list(caller: Caller, page: LogPage): Promise<LogEntry[]>;
  /** Oldest first, up to what was written before it began. Breaks off when the session ends. */
  export(caller: Caller, filter: LogFilter): Promise<Download>;
  /** Hides all entries there are; its own is the first of the new ones. */
  clear(caller: Caller): Promise<LogCleared>;
}

export interface RefusalService {
  /** Open. For what the HTTP layer refuses by itself, so that the audit log knows. Never throws. */
  report(caller: Caller, refusal: { method: string; path: string; message: string }): void;
}
