/** What one user may have in the store at once. */
export interface TaskQuota {
  /** Tasks that wait or run. */
  tasks: number;
  /** Bytes of all his tasks, also of those that are over: of each its request, and `bytesOfTask`. */
  bytes: number;
}

/** Bytes that a task counts beside its request. The database counts the same (`migrations/task-usage.ts`). */
export const bytesOfTask = 1024;
