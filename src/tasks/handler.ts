import type { Undo } from "../storage/task-store.ts";

/** Runs one task. The machine knows no kind of task: it gets a table of what makes handlers. */
export interface Handler {
  /**
   * Does the work. It may be called again after a crash; steps that were done then return their results without running.
   * Throws to fail; the steps are then undone.
   */
  run(context: TaskContext): Promise<TaskResult | undefined>;
  /**
   * Exists only for work that must not be done when nobody waits for it any more. Such a task fails at once when its engine
   * goes away, and after a restart of the station this is called instead of `run`: it finds out whether the wanted state
   * was reached, throws if it was not, and changes nothing.
   */
  settle?(context: TaskContext): Promise<TaskResult | undefined>;
}

export interface TaskResult {
  /** 0 = success. Any other number ends the task as error without undoing anything: some of several items failed. */
  result: number;
  /** What failed: a sentence for a person; null after success. */
  error: string | null;
  /** What a user should know of a task that succeeded: a sentence, shown as `detail_state`. */
  notice?: string | undefined;
  /** What the task has made, for the activity log: a sentence such as `Create container (lxc, web)`. */
  made?: string | undefined;
  /** For those who wait for the end in this process. It is not stored. */
  output?: unknown;
}

/** What a handler gets for one task. */
export interface TaskContext {
  /** The task's id. */
  readonly id: number;
  /** Name of the user who asked for the task. */
  readonly user: string;
  /** Name of the container or image that the task is about. */
  readonly name: string;
  /** Aborts when the task is cancelled or the station ends. */
  readonly signal: AbortSignal;
  /**
   * Does one thing outside the station. The step and its undo are on disk before `act` runs. If `repeated` is true, an
   * earlier attempt may have got anywhere, so `act` must look first. Returns what `act` returned, now or before a restart;
   * it must be JSON.
   */
  step<T>(name: string, undo: Undo | null, act: (repeated: boolean) => Promise<T>): Promise<T>;
  /** Passes the pivot: from here on the task cannot be cancelled or undone. Throws `cancelled` if a cancel came first. */
  pivot(): Promise<void>;
  /** Reports progress: percent, or -1 if unknown, and a text for a person. */
  progress(percent: number, detail: string): void;
}

/**
 * Waits without a place in the task's lane: runs `wait`, then waits for a new place. `detail` is the task's detail
 * meanwhile; `away` says that an engine does not answer. The signal ends the wait for a new place.
 */
export type WaitOutsideLane = (
  reason: { detail: string; away: boolean; signal: AbortSignal },
  wait: () => Promise<void>,
) => Promise<void>;

/**
 * Undoes one operation of a task. It may be called several times, and touches only what bears the task's mark. Operations
 * that any version has written to a journal keep their undoers.
 */
export type Undoer = (args: Record<string, unknown>, task: { id: number }) => Promise<void>;

/** All kinds of tasks. */
export interface Kinds {
  /** Returns, for each kind, the handler of a task from the task's request. Throws `unsupported` if it cannot be read. */
  handlers: Readonly<Record<string, (request: unknown) => Handler>>;
  /** The undoer of each operation that a step's undo names. */
  undoers: Readonly<Record<string, Undoer>>;
  /**
   * Is called after a failure. Returns true if the work should be tried again, because an engine that was away is back, and
   * false if the failure is final. It may wait until the signal aborts, but only by `waitOutsideLane`.
   */
  recover(error: unknown, signal: AbortSignal, waitOutsideLane: WaitOutsideLane): Promise<boolean>;
  /** Returns an error as the activity log may have it: one short line, without what readers may not see of the request. */
  loggedError(error: string, request: unknown): string;
}
