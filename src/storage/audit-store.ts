import type { Async } from "./async.ts";

export const auditLevels = ["INFO", "WARN", "ERROR"] as const;
export type AuditLevel = (typeof auditLevels)[number];
export const auditCategories = ["container", "image", "import", "export", "backup", "system"] as const;
export type AuditCategory = (typeof auditCategories)[number];

/** `begun`: it was about to happen, and nobody saw how it ended. */
export type AuditResult = "begun" | "done" | "failed" | "refused";

/** Who did what on what, from where, and how it went. No text in it has control characters. */
export interface AuditEntry {
  /** Epoch milliseconds. */
  ts: number;
  level: AuditLevel;
  category: AuditCategory;
  /** Empty: nobody was logged in. */
  user: string;
  /** The peer's address; empty: the station itself. */
  address: string;
  /** As `registries save`. */
  action: string;
  target: string;
  result: AuditResult;
  message: string;
}
export type AuditRow = AuditEntry & { id: number };

/** Absent = any. Texts of a list are alternatives. */
export interface AuditFilter {
  /** Epoch milliseconds, both included. */
  start?: number | undefined;
  end?: number | undefined;
  user?: string | undefined;
  levels?: readonly string[] | undefined;
  categories?: readonly string[] | undefined;
  text?: string | undefined;
  limit: number;
  offset: number;
}

/** A part of the log for somebody who goes through all of it, in ids. */
export interface AuditStretch {
  filter: Omit<AuditFilter, "limit" | "offset">;
  /** Looks at what comes after this one, */
  after: number;
  /** up to this one, */
  until: number;
  /** and at no more than so many: whatever the filter leaves of them, others wait no longer for the store. */
  span: number;
}

/** Append only: an entry is written once; one that was `begun` gets its result once. */
export interface AuditVerbs {
  add(entry: AuditEntry): number;
  /** As `add`, for what must not happen unwritten: refused while the disk is full. */
  begin(entry: AuditEntry): number;
  settle(end: Pick<AuditRow, "id" | "level" | "result" | "message">): void;
  /** Newest first, without what was cleared. */
  list(filter: AuditFilter): AuditRow[];
  /** Oldest first, without what was cleared. `last`: the last one it looked at; `null`: there are none. */
  scan(stretch: AuditStretch): { rows: AuditRow[]; last: number | null };
  /** The newest id, or 0. */
  newest(): number;
  /**
   * Hides all there is from `list` and `scan`, and adds this entry, in one transaction. The rows stay. Answers how many
   * that hid; refused while the disk is full.
   */
  clear(entry: AuditEntry): number;
  /** Drops what is older than `before` or beyond `maxRows`. Answers how many rows went. */
  purge(limits: { before: number; maxRows: number }): number;
}

export type AuditStore = Async<AuditVerbs>;
