/** How a task ended, with what the audit log has of it: it is written in the same transaction. */
export interface EndOfTask {
  /** Number of the task. */
  id: number;
  /** Why it failed: a sentence for a person; null if it did not, or if that is stored already. */
  error: string | null;
  /** What it has made: a sentence for the audit log. */
  made?: string | undefined;
  /** Why it failed, as the audit log may have it. */
  reason?: string | undefined;
  /** The present time. */
  now: number;
}
