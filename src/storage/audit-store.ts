import type { Async } from "./async.ts";

export const auditLevels = ["INFO", "WARN", "ERROR"] as const;
export type AuditLevel = (typeof auditLevels)[number];
export const auditCategories = ["container", "image", "import", "export", "backup", "system"] as const;
export type AuditCategory = (typeof auditCategories)[number];

/** `begun`: the action was about to begin, and its end is not known (yet). */
export type AuditResult = "begun" | "done" | "failed" | "refused";

/** An entry of the audit log. Its texts have no control characters. */
export interface AuditEntry {
  /** Epoch milliseconds. */
  ts: number;
  /** How serious it is. */
  level: AuditLevel;
  /** What it concerns. */
  category: AuditCategory;
  /** Name of the user; "" if nobody was logged in. */
  user: string;
  /** Address of the peer; "" for the station itself. */
  address: string;
  /** What was done, such as `registries save`. */
  action: string;
  /** On what it was done, such as `task 7`. */
  target: string;
  /** How it ended. */
  result: AuditResult;
  /** A sentence for a person. */
  message: string;
}

/** A stored entry. Later entries have larger ids. */
export type AuditRow = AuditEntry & { id: number };

/** Which entries are wanted. An absent field allows all; an entry must match one of the texts of a list. */
export interface AuditFilter {
  /** First time, in epoch milliseconds. */
  start?: number | undefined;
  /** Last time, in epoch milliseconds. */
  end?: number | undefined;
  /** Name of the user. */
  user?: string | undefined;
  /** Levels. */
  levels?: readonly string[] | undefined;
  /** Categories. */
  categories?: readonly string[] | undefined;
  /** Text that the message must contain, in any case. */
  text?: string | undefined;
  /** How many entries at most. */
  limit: number;
  /** How many matching entries are skipped. */
  offset: number;
}

/** A part of the log, for readers who want some of the newest entries. */
export interface AuditPart {
  /** Which entries are wanted. */
  filter: Omit<AuditFilter, "limit" | "offset">;
  /** Only entries with smaller ids; null for all. */
  before: number | null;
  /** How many matching entries are skipped. */
  skip: number;
  /** How many entries at most. */
  limit: number;
}

/** A part of the log, for readers who go through all of it. */
export interface AuditScan {
  /** Which entries are wanted. */
  filter: Omit<AuditFilter, "limit" | "offset">;
  /** Entries with larger ids are read, */
  after: number;
  /** up to this id, */
  until: number;
  /** but at most this number of entries, including those that do not match: other calls wait for the store meanwhile. */
  span: number;
}

/** The audit log. It is append only: an entry is written once, and an entry that was `begun` gets its result once. */
export interface AuditVerbs {
  /** Adds an entry and returns its id. */
  add(entry: AuditEntry): number;
  /** Adds an entry for an action that must not happen without one. Throws `disk_full` while the disk is full. */
  begin(entry: AuditEntry): number;
  /** Sets the result of an entry that was `begun`. Does nothing if it has a result. */
  setResult(end: Pick<AuditRow, "id" | "level" | "result" | "message">): void;
  /**
   * Reads one part of the log, newest first, without entries that were cleared. Returns the wanted entries of that part, of how
   * many it has skipped, and the `before` of the next part, null if there is none or if `limit` is reached.
   */
  list(part: AuditPart): { rows: AuditRow[]; skipped: number; next: number | null };
  /**
   * Lists entries of one part, oldest first, without those that were cleared. `last` is the id of the last entry that was
   * read, null if there was none.
   */
  scan(request: AuditScan): { rows: AuditRow[]; last: number | null };
  /** Returns the id of the newest entry, or 0. */
  newest(): number;
  /**
   * Hides all entries from `list` and `scan`, and adds this entry, in one transaction. The rows stay. Returns how many
   * entries it has hidden. Throws `disk_full` while the disk is full.
   */
  clear(entry: AuditEntry): number;
  /**
   * Deletes entries older than `before` (epoch milliseconds) and beyond the newest `maxRows`, but a bounded number of them.
   * Returns their number; 0: all are deleted.
   */
  purge(limits: { before: number; maxRows: number }): number;
}

export type AuditStore = Async<AuditVerbs>;
