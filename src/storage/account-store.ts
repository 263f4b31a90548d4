import type { Async } from "./async.ts";

export const roles = ["admin", "operator", "viewer"] as const;
export type Role = (typeof roles)[number];

export interface UserRow {
  name: string;
  role: Role;
  /** `argon2id$...`, see services/password.ts. */
  passwordHash: string;
}

/** Times are epoch milliseconds. The session's id itself is never stored, only its SHA-256 in hex. */
export interface SessionRow {
  hash: string;
  user: string;
  loginAt: number;
  seenAt: number;
}

export interface AccountVerbs {
  getUser(name: string): UserRow | undefined;
  saveUser(user: UserRow): void;
  /** Beyond `keep` sessions of this user the oldest go; answers their hashes. */
  addSession(request: { session: SessionRow; keep: number }): string[];
  touchSession(session: { hash: string; seenAt: number }): void;
  removeSession(hash: string): void;
  /** Those seen after `idleSince` and begun after `begunSince`; the others are deleted. */
  sessions(live: { idleSince: number; begunSince: number }): SessionRow[];
}

export type AccountStore = Async<AccountVerbs>;
