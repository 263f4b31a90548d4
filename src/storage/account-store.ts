import type { Async } from "./async.ts";

/** The roles of users, the most powerful first. */
export const roles = ["admin", "operator", "viewer"] as const;
export type Role = (typeof roles)[number];

/** A user. */
export interface UserRow {
  /** Name of the user; unique, also without regard to case. */
  name: string;
  /** What the user may do. */
  role: Role;
  /** `argon2id$...`, as services/accounts/password.ts writes it; "" for a user of the host. */
  passwordHash: string;
  /** Who checks the password: the station, or the host by PAM. */
  source: "local" | "host";
  /** True: the user cannot log in. */
  disabled: boolean;
  /** The encrypted secret of the second step; "" if it is off. */
  totp: string;
  /** Epoch milliseconds. */
  createdAt: number;
}

/** A session. Its id is not stored. */
export interface SessionRow {
  /** SHA-256 of the session's id, in hexadecimal. */
  hash: string;
  /** Name of its user. */
  user: string;
  /** Address of the peer that logged in. */
  address: string;
  /** Epoch milliseconds of the login. */
  loginAt: number;
  /** Epoch milliseconds of the last use. */
  seenAt: number;
}

/** An API token. The token itself is not stored. */
export interface TokenRow {
  /** Number of the token. */
  id: number;
  /** SHA-256 of the token, in hexadecimal. */
  hash: string;
  /** Name of its user. */
  user: string;
  /** Name that the user has given it; unique for the user. */
  name: string;
  /** The most that its bearer may do. */
  role: Role;
  /** Epoch milliseconds. */
  createdAt: number;
  /** Epoch milliseconds. */
  expiresAt: number;
}

/** Changes of a user. Absent fields stay as they are. */
export interface UserChange {
  /** The new role. */
  role?: Role | undefined;
  /** True disables the user, false enables it. */
  disabled?: boolean | undefined;
  /** Hash of the new password. */
  passwordHash?: string | undefined;
}

/** The logins that survive a new password. */
export interface KeptLogins {
  /** Hash of a session. */
  session?: string | undefined;
  /** True: the user's tokens. */
  tokens?: boolean | undefined;
}

export interface AccountVerbs {
  /** Lists all users by name. */
  users(): UserRow[];
  /** Returns the user with exactly this name, if any. */
  getUser(name: string): UserRow | undefined;
  /** Adds a user, or replaces role and password and enables the user. The user's sessions and tokens end. */
  saveUser(user: Pick<UserRow, "name" | "role" | "passwordHash">): void;
  /** Adds a user. Returns `taken` if there is one with this name, even if it differs in case. */
  addUser(user: Omit<UserRow, "disabled" | "totp">): "added" | "taken";
  /**
   * Changes a user. Returns `last_admin` if no enabled local admin would be left, and then changes nothing. An admin who
   * gets another role no longer owns any containers. A new password ends the user's sessions and tokens, except for those
   * in `keeps`, in the same transaction.
   */
  changeUser(change: { name: string; change: UserChange; keeps?: KeptLogins }): "done" | "unknown" | "last_admin";
  /** Removes a user with sessions, tokens and recovery codes. The user's tasks and containers then belong to nobody. */
  removeUser(name: string): "done" | "unknown" | "last_admin";

  /** Turns the second step on, with the hashes of recovery codes, or off with an empty secret. */
  saveTotp(totp: { name: string; totp: string; codes: readonly string[] }): void;
  /** Marks a time step of TOTP as used. Returns false if this or a later step was used before. */
  useTotpStep(use: { name: string; step: number }): boolean;
  /** Uses up a recovery code. Returns false if there is no such code, or it was used. */
  useRecoveryCode(use: { name: string; hash: string }): boolean;
  /** Returns how many recovery codes a user has left. */
  recoveryCodes(name: string): number;

  /** Adds a session. Deletes the user's oldest sessions beyond `keep` and returns their hashes. */
  addSession(request: { session: SessionRow; keep: number }): string[];
  /** Sets when a session was last used. */
  touchSession(session: { hash: string; seenAt: number }): void;
  /** Ends a session. */
  removeSession(hash: string): void;
  /**
   * Lists the sessions that were used after `idleSince` and begun after `begunSince`, and neither of it after `now`. Deletes
   * the others. Times are epoch milliseconds.
   */
  sessions(live: { idleSince: number; begunSince: number; now: number }): SessionRow[];

  /** Lists the networks from which users have logged in, the latest first. */
  knownNetworks(): { user: string; network: string }[];
  /** Adds a network, or renews it. Deletes the user's oldest ones beyond `keep`. */
  addKnownNetwork(known: { user: string; network: string; at: number; keep: number }): void;

  /** Lists the tokens that have not expired at `now`. Deletes the others. */
  tokens(now: number): TokenRow[];
  /** Adds a token. Returns `taken` if its user has one with this name, and `full` if he has `most` tokens already. */
  addToken(added: { token: Omit<TokenRow, "id">; most: number }): { id: number } | "taken" | "full";
  /** Deletes a token. */
  removeToken(id: number): void;
  /** Deletes all tokens of a user. */
  removeTokensOf(user: string): void;
}

export type AccountStore = Async<AccountVerbs>;
