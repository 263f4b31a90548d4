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

/** Part of the interface in services.ts: accounts, and the activity log. */

/** A login. `code` is the code of the second step, where the API has a field for it. */
export type Login = LoginRequest & { code?: string | undefined };

export interface SessionService {
  /**
   * Logs in. Open to everybody. Returns the new session's id beside what the client is shown, and ends a session that was
   * sent with the request. Throws `forbidden` if the account has a second step and no code came, and `too_many` with
   * `retryAfter` (seconds) after too many wrong passwords.
   */
  login(caller: Caller, request: Login): Promise<{ sid: string; session: SessionInfo }>;
  /** Prolongs the caller's session. */
  refresh(caller: Caller): Promise<SessionInfo>;
  /** Throws `unauthenticated` if the caller has no session. */
  check(caller: Caller): Promise<void>;
  /** Ends the caller's session at once. */
  logout(caller: Caller): Promise<{ username: string }>;
  /** Lists the caller's sessions; for an admin, those of all users. */
  list(caller: Caller): Promise<SessionEntry[]>;
  /**
   * Ends the session with this id of the list, or without an id all other sessions of the caller. Returns the ids that
   * ended.
   */
  remove(caller: Caller, id: string | undefined): Promise<string[]>;
}

export interface UserService {
  /** Lists the users. */
  list(caller: Caller): Promise<StationUser[]>;
  /** Creates a user. Throws `conflict` if the name is taken. */
  create(caller: Caller, request: NewUser): Promise<StationUser>;
  /**
   * Changes a user, and ends the user's sessions; with a new password the tokens too. Throws `conflict` if no admin would
   * be left.
   */
  change(caller: Caller, username: string, request: UserChangeRequest): Promise<ChangedUser>;
  /** Removes a user, with the user's sessions and tokens. */
  remove(caller: Caller, username: string): Promise<{ username: string }>;
  /** Changes the caller's password, and ends the caller's other sessions and tokens. */
  changePassword(caller: Caller, request: PasswordChange): Promise<PasswordChanged>;
}

export interface TokenService {
  /** Lists the caller's tokens; for an admin, those of all users. */
  list(caller: Caller): Promise<Token[]>;
  /** Creates a token. Only this answer has the token itself. */
  create(caller: Caller, request: TokenRequest): Promise<Token>;
  /** Removes a token of the caller, or as an admin anybody's. Returns it. */
  remove(caller: Caller, id: number): Promise<Token>;
}

/** The second step of the caller's own account. */
export interface SecondStepService {
  /** Tells whether the caller's second step is on, and how many recovery codes are left. */
  get(caller: Caller): Promise<{ enabled: boolean; recovery_codes: number }>;
  /** Returns a secret for the app. It has no effect until `finish` was called with a code of it. */
  begin(caller: Caller, request: { password: string }): Promise<{ secret: string; uri: string }>;
  /** Turns the second step on. Returns the recovery codes, each for one login, which are shown only now. */
  finish(caller: Caller, request: { code: string }): Promise<{ enabled: boolean; recovery_codes: string[] }>;
  /** Ends the second step of the caller. */
  end(
    caller: Caller,
    request: { password: string; code: string },
  ): Promise<{ enabled: boolean; recovery_codes: number }>;
}

/** Which entries of the activity log. A time of 0 and an empty text mean any. */
export interface LogFilter {
  /** Only entries from this time on, in epoch seconds. */
  start?: number | undefined;
  /** Only entries up to this time, in epoch seconds. */
  end?: number | undefined;
  /** Only entries of this user. */
  user?: string | undefined;
  /** Only these levels, separated by commas. */
  level?: string | undefined;
  /** Only these categories, separated by commas. */
  category?: string | undefined;
  /** Only entries whose message contains this. */
  text?: string | undefined;
}
export type LogPage = LogFilter & { limit?: number | undefined; offset?: number | undefined };

export interface LogService {
  /** Lists a page of entries, newest first. */
  list(caller: Caller, page: LogPage): Promise<LogEntry[]>;
  /** Returns all entries written before the export began, oldest first. It breaks off when the session ends. */
  export(caller: Caller, filter: LogFilter): Promise<Download>;
  /** Hides all entries. The entry of the clearing is the first of the new ones. */
  clear(caller: Caller): Promise<LogCleared>;
}

export interface RefusalService {
  /** Notes in the activity log what the HTTP layer refuses by itself. Open to everybody; never throws. */
  report(caller: Caller, refusal: { method: string; path: string; message: string }): void;
}
