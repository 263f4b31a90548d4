import type { Async } from "./async.ts";

/**
 * The task machine's tables, one method per verb. Every method is one transaction, on disk before it answers; calls
 * that arrive together share a commit. Times are epoch milliseconds.
 *
 *     waiting ──claim──> running ──complete──> completed
 *        │                  ├──startUndo(error)──> undoing ──finish──> error
 *        └──cancel──> cancelled   └──cancel────> undoing ──finish──> cancelled
 *
 * INVARIANTS
 * - A state changes only by a guarded UPDATE that names the state before it: of two that compete, one wins.
 * - Every change of state writes its event in the same transaction.
 * - Locks and port claims live as long as the task is not final, or while its undo has failed; a completed
 *   task's port claims stay with their owner.
 */
export type StoredState = "waiting" | "running" | "undoing" | "completed" | "error" | "cancelled";

export type Lane = "quick" | "heavy";
export type LockMode = "S" | "X";
export type Lock = readonly [key: string, mode: LockMode];

export interface PortClaim {
  protocol: string;
  port: number;
}

/** Who asked for something, and the peer's address that it came from. */
export interface Actor {
  user: string;
  address: string;
}

/** A job is another name of a task, written in the transaction that accepts it. */
export interface OpenvzJob {
  /** A UUID. */
  id: string;
  /** The container that it is about; of a create the one that it is to make. */
  container: string;
  verb: string;
}

export interface NewTask {
  kind: string;
  lane: Lane;
  /** Shown: container name, or image:tag. */
  name: string;
  user: string;
  /** Where it was asked for, for the audit log. */
  address?: string;
  /** JSON of the request. */
  params: string;
  locks: readonly Lock[];
  /** The key of what the task will bring into being; at most one active task may hold it. */
  creates: string | null;
  ports: readonly PortClaim[];
  /** An Idempotency-Key and the hash of the body that came with it. */
  idempotency: { key: string; hash: string } | null;
  /** It is in no list of background tasks: somebody waits for its end. */
  awaited?: boolean;
  /** It only ends something, and needs no step: it is accepted on a full disk too. */
  endsOnly?: boolean;
  /** Its other name in the containers-and-jobs API. */
  job?: OpenvzJob;
  now: number;
}

export type Accepted =
  | { id: number }
  /** The same key and body were accepted before. */
  | { repeated: TaskRow }
  /** The key was used with another body. */
  | { reused: number }
  /** Another active task creates the same thing. */
  | { creating: { id: number; name: string; user: string } }
  | { claimed: { protocol: string; port: number; owner: string } };

export interface TaskRow {
  id: number;
  kind: string;
  lane: Lane;
  name: string;
  user: string;
  params: string;
  state: StoredState;
  init: number;
  start: number | null;
  end: number | null;
  result: number | null;
  error: string | null;
  detail: string;
  progress: number;
  /** The point of no return lies behind. */
  pivot: number;
  /** How often it was found running after a crash, since its last finished step. */
  attempts: number;
  /** What an undoing task ends as. */
  outcome: "error" | "cancelled" | null;
}

/** What undoes a step, as data: `op` names an undoer of a closed table. */
export interface Undo {
  op: string;
  args: Record<string, unknown>;
}

export interface StepRow {
  seq: number;
  name: string;
  state: "planned" | "done";
  undo: Undo | null;
  /** What the step answered. */
  out: unknown;
}

export interface ActiveTask {
  task: TaskRow;
  locks: Lock[];
  /** True: the task is final, but undoing it has failed and is repeated. */
  undoFailed: boolean;
}

/** Which tasks are read, from the newest to the oldest. */
export interface TaskFilterRow {
  kind: string | null;
  /** At most so many rows. */
  limit: number;
  /** Only older ones than this id; null: from the newest. */
  before: number | null;
  /** Absent: everybody's. */
  user?: string | undefined;
}

/**
 * A part of something long. The store looks at a bounded number of rows and of bytes for each, so that no other call
 * waits long for its thread.
 */
export interface Stretch<T> {
  items: T[];
  /** Where the next part begins; null: this was the last. */
  next: number | null;
}

export interface Retention {
  now: number;
  /** Milliseconds after its end at which a task goes, and before which it never does. */
  maxAge: number;
  minAge: number;
  /** Tasks that are over, and events. */
  maxCount: number;
  maxEvents: number;
}

export interface PurgePlace {
  before: number;
  /** Tasks that are over among the newer ones. */
  final: number;
}

export interface TaskVerbs {
  accept(task: NewTask): Accepted;
  /** What `accept` would answer for the idempotency key alone; undefined = the key is new. */
  repeated(task: Pick<NewTask, "user" | "idempotency" | "now">): { repeated: TaskRow } | { reused: number } | undefined;
  /** `undefined`: it was cancelled meanwhile. */
  claim(claim: { id: number; now: number }): TaskRow | undefined;
  steps(id: number): StepRow[];
  /** Writes the step as planned and, in the same commit, the one before it as done with what it answered. */
  planStep(step: {
    task: number;
    seq: number;
    name: string;
    undo: Undo | null;
    previous: { seq: number; out: unknown } | null;
  }): void;
  /** False: a cancel came first. After it the task can only go forward. */
  passPivot(id: number): boolean;
  /** False: a cancel came first. */
  complete(end: { id: number; result: number; error: string | null; now: number }): boolean;
  /** Ends a running task as error or undoes it first: from here on it is undoing. */
  startUndo(undo: { id: number; error: string; now: number }): void;
  /**
   * Ends an undoing task. If the undo failed its locks and port claims stay, and it ends as error even if it was cancelled.
   */
  finish(end: { id: number; error: string | null; undoFailed: boolean; now: number }): void;
  /** Says that a failed undo has succeeded: releases the locks and port claims. */
  clearFailedUndo(id: number): void;
  cancel(cancel: {
    id: number;
    now: number;
    by?: Actor | undefined;
  }): "withdrawn" | "undoing" | "past_pivot" | "final" | "unknown";
  /** Cancels a task that has not begun. False: it has, or is over. */
  withdraw(cancel: { id: number; now: number }): boolean;
  saveProgress(progress: { id: number; detail: string; progress: number }): void;
  get(id: number): TaskRow | undefined;
  /** The same, also of a task that is in no list. */
  row(id: number): TaskRow | undefined;
  /** Newest first; without cancelled and cleared ones. `next` is the `before` of the next stretch. */
  list(filter: TaskFilterRow): Stretch<TaskRow>;
  /** Hides one completed or error task, and drops its request when that is long. False: there is no such one. */
  clearOne(cleared: { id: number; by?: Actor }): boolean;
  /** The same for those of a kind (null: all), newest first. Answers their ids. */
  clear(filter: Omit<TaskFilterRow, "limit"> & { by?: Actor }): Stretch<number>;
  /** Tasks that are not final, or owe an undo, oldest first. */
  active(): ActiveTask[];
  /** A new start found it running: counts the attempt. */
  countAttempt(id: number): number;
  /** The station ends in good order: what runs is not counted as a crash at the next start. */
  forgiveAttempts(): void;
  /** Of these tasks the ones that ended without leaving anything: never begun, or undone. */
  undone(ids: readonly number[]): number[];
  nameOf(id: number): string | undefined;
  /** Whose container a task made, also when the task is gone. `undefined`: nobody's any more. */
  ownerOf(id: number): string | undefined;
  /** Claims of final tasks, by owner. */
  claims(): { protocol: string; port: number; owner: string }[];
  /** Who has claimed the port, whatever the state of his task. */
  claimant(claim: { protocol: string; port: number }): string | undefined;
  /** Never those of a task that is not final: it may be making the next thing of that name. */
  releaseClaims(owner: string): void;
  /** What `from` holds is `to`'s from now on. */
  moveClaims(move: { from: string; to: string }): void;
  /** Drops tasks beyond the retention, from the newest on, stretch by stretch: `next` is the `from` of the next one. */
  purge(limits: Retention & { from: PurgePlace | null }): { dropped: number; next: PurgePlace | null };
  /** Drops keys and events beyond it, so many at once; 0: there are no more. */
  purgeTrails(limits: Retention): number;
}

export type TaskStore = Async<TaskVerbs>;
