/** Which tasks are read, from the newest to the oldest. */
export interface TaskFilterRow {
  /** Kind of task; null for all kinds. */
  kind: string | null;
  /** How many tasks at most. */
  limit: number;
  /** Only tasks with a smaller id; null for all. */
  before: number | null;
  /** Only tasks of this user. Absent: of all users. */
  user?: string | undefined;
}

/**
 * A part of a long list. The store reads a bounded number of rows and bytes for each page, so that no other call waits long
 * for its thread. A page may be empty although it is not the last.
 */
export interface Page<T> {
  /** The items of this page. */
  items: T[];
  /** The `before` of the next page; null: this was the last. */
  next: number | null;
}

/** How long tasks and events are kept. Ages are in milliseconds. */
export interface Retention {
  /** The present time. */
  now: number;
  /** A task is deleted when it ended longer ago. */
  maxAge: number;
  /** A task is never deleted when it ended less long ago. */
  minAge: number;
  /** Number of final tasks that are kept. */
  maxCount: number;
  /** Number of events that are kept. */
  maxEvents: number;
}

/** Where a purge goes on. */
export interface PurgeCursor {
  /** Only tasks with a smaller id. */
  before: number;
  /** How many final tasks have larger ids. */
  final: number;
}
