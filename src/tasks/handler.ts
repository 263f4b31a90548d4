import type { Undo } from "../storage/task-store.ts";

/** What a kind of task does, and how what it did is undone. The machine knows no kind; it is given a table of these. */
export interface Handler {
  /**
   * Drives the work to its end. It may be called again after a crash: steps that were finished are not run again.
   * Throws to fail: what was done is then undone.
   */
  run(context: TaskContext): Promise<TaskResult | undefined>;
  /**
   * For work that somebody waits for: it is never done when nobody waits any more. So it fails at once when the engine
   * goes away, and after a restart of the station this is called in place of `run`: it looks whether what was wanted is
   * so, throws when it is not, and changes nothing.
   */
  settle?(context: TaskContext): Promise<TaskResult | undefined>;
}

/** 0 = success. Another result ends the task as error without undoing anything (some of several items failed). */
export interface TaskResult {
  result: number;
  error: string | null;
  /** For whoever waits for the end in this process; it is not kept. */
  output?: unknown;
}

export interface TaskContext {
  readonly id: number;
  readonly user: string;
  readonly name: string;
  /** The request, as it was accepted. */
  readonly params: unknown;
  /** Aborts when the task is cancelled or the station ends. */
  readonly signal: AbortSignal;
  /**
   * One thing done outside. Before `act` runs, the step and its undo are on disk. `act` must look first when `repeated`
   * says that an earlier try may have got anywhere. Answers what `act` answered, now or before a restart (JSON).
   */
  step<T>(name: string, undo: Undo | null, act: (repeated: boolean) => Promise<T>): Promise<T>;
  /** After it the task can no longer be cancelled, and a failure goes forward. Throws when a cancel came first. */
  pivot(): Promise<void>;
  progress(percent: number, detail: string): void;
}

/**
 * Waits without a place in the task's lane. `detail` is shown meanwhile; `away`: what is waited for is an engine that does
 * not answer. `signal` ends the wait for a new place too.
 */
export type Rest = (
  reason: { detail: string; away: boolean; signal: AbortSignal },
  wait: () => Promise<void>,
) => Promise<void>;

/**
 * Undoes one op for a task: idempotent, and only what bears this task's mark. The table of undoers is closed: an op in
 * the journal of an older version stays in it.
 */
export type Undoer = (args: Record<string, unknown>, task: { id: number }) => Promise<void>;

export interface Kinds {
  handlers: Readonly<Record<string, Handler>>;
  undoers: Readonly<Record<string, Undoer>>;
  /**
   * Called when work failed: true = what failed is back (an engine that was away), try that again; false = it stays
   * failed. May wait, by `rest` only, until the signal aborts.
   */
  recover(error: unknown, signal: AbortSignal, rest: Rest): Promise<boolean>;
}
