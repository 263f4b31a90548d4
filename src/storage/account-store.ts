import type { Async } from "./async.ts";

/** The mightiest first. */
export const roles = ["admin", "operator", "viewer"] as const;
export type Role = (typeof roles)[number];

/** Times are epoch milliseconds. */
export interface UserRow {
  name: string;
  role: Role;
  /** `argon2id$...`, see services/password.ts; empty for a user of the host. */
  passwordHash: string;
  /** Who knows the password: the station, or the host by PAM. */
  source: "local" | "host";
  disabled: boolean;
  /** The sealed secret of the second step; empty = it is off. */
  totp: string;
  createdAt: number;
}

/** The session's id itself is never stored, only its SHA-256 in hex. */
export interface SessionRow {
  hash: string;
  user: string;
  /** Where it was begun. */
  address: string;
  loginAt: number;
  seenAt: number;
}

export interface TokenRow {
  id: number;
  /** SHA-256 in hex. */
  hash: string;
  user: string;
  name: string;
  role: Role;
  createdAt: number;
  expiresAt: number;
}

/** What changes; absent stays as it is. */
export interface UserChange {
  role?: Role | undefined;
  disabled?: boolean | undefined;
  passwordHash?: string | undefined;
}

/** What a new password does not end. */
export interface Kept {
  /** A session's hash. */
  session?: string | undefined;
  tokens?: boolean | undefined;
}

export interface AccountVerbs {
  users(): UserRow[];
  getUser(name: string): UserRow | undefined;
  /** Makes or replaces role and password, and enables it; the user's sessions and tokens end. */
  saveUser(user: Pick<UserRow, "name" | "role" | "passwordHash">): void;
  /** `taken`: also by a name that differs in case only. */
  addUser(user: Omit<UserRow, "disabled" | "totp">): "added" | "taken";
  /**
   * `last_admin`: no enabled local admin would be left. Who is admin no more has no containers any more. A new password
   * ends, in the same transaction, the sessions and tokens of the user, but those in `keeps`.
   */
  changeUser(change: { name: string; change: UserChange; keeps?: Kept }): "done" | "unknown" | "last_admin";
  /** Takes sessions, tokens and codes along; tasks and containers of the name are nobody's from now on. */
  removeUser(name: string): "done" | "unknown" | "last_admin";

  /** Turns the second step on with these codes' hashes, or with an empty secret off. */
  saveTotp(totp: { name: string; totp: string; codes: readonly string[] }): void;
  /** False: this or a later step was used before. */
  useTotpStep(use: { name: string; step: number }): boolean;
  /** False: there is no such code, or it was used. */
  useRecoveryCode(use: { name: string; hash: string }): boolean;
  recoveryCodes(name: string): number;

  /** Beyond `keep` sessions of this user the oldest go; answers their hashes. */
  addSession(request: { session: SessionRow; keep: number }): string[];
  touchSession(session: { hash: string; seenAt: number }): void;
  removeSession(hash: string): void;
  /** Those seen after `idleSince`, begun after `begunSince`, and neither of it after `now`; the others are deleted. */
  sessions(live: { idleSince: number; begunSince: number; now: number }): SessionRow[];

  /** Networks from which a user has logged in, the latest first. */
  knownNetworks(): { user: string; network: string }[];
  /** The oldest beyond `keep` of this user go. */
  addKnownNetwork(known: { user: string; network: string; at: number; keep: number }): void;

  /** Those that have not expired; the others are deleted. */
  tokens(now: number): TokenRow[];
  addToken(token: Omit<TokenRow, "id">): { id: number } | "taken";
  removeToken(id: number): void;
  removeTokensOf(user: string): void;
}

export type AccountStore = Async<AccountVerbs>;
