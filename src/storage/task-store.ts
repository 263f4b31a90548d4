import type { Async } from "./async.ts";
import type { TaskQuota } from "./task-quota.ts";
import type { EndOfTask } from "./task-end.ts";
import type { Page, PurgeCursor, Retention, TaskFilterRow } from "./task-ranges.ts";

/**
 * The states of a stored task. Every method of `TaskVerbs` is one transaction, which is on disk before the method resolves;
 * calls that arrive together share a commit. Times are epoch milliseconds.
 *
 *     waiting ──claim──> running ──complete──> completed
 *        │                  ├──startUndo(error)──> undoing ──finish──> error
 *        └──cancel──> cancelled   └──cancel────> undoing ──finish──> cancelled
 *
 * INVARIANTS
 * - A state changes only by a guarded UPDATE that names the state before it, so of two competing changes only one succeeds.
 * - Every change of state writes its event in the same transaction.
 * - Locks and port claims exist until the task is final and undone, if it must be. The port claims of a completed task stay
 *   with what it made.
 */
export type StoredState = "waiting" | "running" | "undoing" | "completed" | "error" | "cancelled";

/** The lane in which a task runs: quick for seconds, heavy for minutes of disk and network. */
export type Lane = "quick" | "heavy";
/** Shared or exclusive. */
export type LockMode = "S" | "X";
export type Lock = readonly [key: string, mode: LockMode];

/** A port of the host that a task claims for what it makes. */
export interface PortClaim {
  /** `tcp` or `udp`. */
  protocol: string;
  /** 1 to 65535. */
  port: number;
}

/** Who asked for something. */
export interface Actor {
  /** Name of the user. */
  user: string;
  /** Address of the peer from which the request came. */
  address: string;
}

/** The name of a task in the containers-and-jobs API. It is written in the transaction that accepts the task. */
export interface OpenvzJob {
  /** A UUID. */
  id: string;
  /** Id of the container that the job is about; for a create, of the one that it will make. */
  container: string;
  /** What the job does, such as `create`. */
  verb: string;
}

export interface NewTask {
  /** Kind of task, such as `create`; it names a handler. */
  kind: string;
  /** Lane in which the task runs. */
  lane: Lane;
  /** Name of the container, or image:tag, for people. */
  name: string;
  /** Name of the user who asked for it. */
  user: string;
  /** Address of the peer, for the audit log. */
  address?: string;
  /** JSON of the request. */
  params: string;
  /** Keys that the task must hold while it runs. */
  locks: readonly Lock[];
  /** Key of what the task will make, such as `docker/c/web`. At most one active task may have it. Null: it makes nothing. */
  creates: string | null;
  /** Ports that the task claims. */
  ports: readonly PortClaim[];
  /** The request's Idempotency-Key, and a hash of its body. */
  idempotency: { key: string; hash: string } | null;
  /** True: somebody waits for its end, and it is in no list of background tasks. */
  awaited?: boolean;
  /** True: it only ends something and needs no step, so it is accepted even on a full disk. */
  endsOnly?: boolean;
  /** Its name in the containers-and-jobs API. */
  job?: OpenvzJob;
  /** What its user may have in the store with it. Absent: as much as he likes. */
  quota?: TaskQuota;
  /** The present time. */
  now: number;
}

/** The result of accepting a task: its id, or why it was not accepted. */
export type Accepted =
  | { id: number }
  /** The same key and body were accepted before, as this task. */
  | { repeated: TaskRow }
  /** The key was used with another body, for the task with this id. */
  | { reused: number }
  /** Another active task makes the same thing. */
  | { creating: { id: number; name: string; user: string } }
  /** The user would have more than this part of his quota. */
  | { over: keyof TaskQuota; limit: number }
  /** Somebody else has claimed a port. */
  | { claimed: { protocol: string; port: number; owner: string } };

export interface TaskRow {
  /** Number of the task; later tasks have larger ones. */
  id: number;
  /** Kind of task. */
  kind: string;
  /** Lane in which it runs. */
  lane: Lane;
  /** Name of the container, or image:tag. */
  name: string;
  /** Name of the user who asked for it. */
  user: string;
  /** JSON of the request. */
  params: string;
  /** State of the task. */
  state: StoredState;
  /** When it was accepted. */
  init: number;
  /** When it began to run; null before. */
  start: number | null;
  /** When it ended; null before. */
  end: number | null;
  /** 0 = success; another number = something failed; null before the end. */
  result: number | null;
  /** Why it failed: a sentence for a person; null if it did not. */
  error: string | null;
  /** What it does at the moment, for people. */
  detail: string;
  /** Percent, or -1 if unknown. */
  progress: number;
  /** 1 after the pivot, 0 before. */
  pivot: number;
  /** How often it was found running after a crash since its last finished step. */
  attempts: number;
  /** The state in which an undoing task will end; null for any other task. */
  outcome: "error" | "cancelled" | null;
}

/** How a step is undone, as data. */
export interface Undo {
  /** Name of an undoer. */
  op: string;
  /** Arguments of the undoer; JSON. */
  args: Record<string, unknown>;
}

export interface StepRow {
  /** Position among the task's steps, from 0. */
  seq: number;
  /** Name of the step, unique in its task. */
  name: string;
  /** `planned`: it may have acted; `done`: it has, and `out` is its result. */
  state: "planned" | "done";
  /** How it is undone; null: it needs no undo. */
  undo: Undo | null;
  /** The result of the step; null before it is done. */
  out: unknown;
}

/** A task that is not final, or whose undo has failed. */
export interface ActiveTask {
  /** The task; `params` is "" unless it is running or undoing. */
  task: TaskRow;
  /** The keys that it needs or holds. */
  locks: Lock[];
  /** True: the task is final, but undoing it has failed and is repeated. */
  undoFailed: boolean;
}

/** What the task machine reads and writes. */
export interface TaskVerbs {
  /** Accepts a task, unless another task is in its way. */
  accept(task: NewTask): Accepted;
  /** Returns what `accept` would return because of the idempotency key; undefined if the key is new. */
  repeated(task: Pick<NewTask, "user" | "idempotency" | "now">): { repeated: TaskRow } | { reused: number } | undefined;
  /** Begins a waiting task. Returns undefined if it does not wait any more, because it was cancelled. */
  claim(claim: { id: number; now: number }): TaskRow | undefined;
  /** Lists the steps of a task in their order. */
  steps(id: number): StepRow[];
  /** Writes a step as planned and, in the same commit, the previous one as done with its result. */
  planStep(step: {
    task: number;
    seq: number;
    name: string;
    undo: Undo | null;
    previous: { seq: number; out: unknown } | null;
  }): void;
  /** Marks a running task as past its pivot: it can no longer be cancelled. Returns false if a cancel came first. */
  passPivot(id: number): boolean;
  /**
   * Ends a running task, as completed with result 0 and otherwise as error. `notice` is its detail from then on. Returns
   * false if a cancel came first.
   */
  complete(end: EndOfTask & { result: number; notice?: string | undefined }): boolean;
  /** Begins to undo a running task, which will end as error. */
  startUndo(undo: { id: number; error: string; now: number }): void;
  /**
   * Ends an undoing task. If the undo failed its locks and port claims stay, and it ends as error even if it was cancelled.
   */
  finish(end: EndOfTask & { undoFailed: boolean }): void;
  /** Says that a failed undo has succeeded: releases the locks and port claims. */
  clearFailedUndo(id: number): void;
  /**
   * Cancels a task. `withdrawn`: it had not begun. `undoing`: it must be undone. `past_pivot`, `final` and `unknown`: it
   * cannot be cancelled.
   */
  cancel(cancel: {
    id: number;
    now: number;
    by?: Actor | undefined;
  }): "withdrawn" | "undoing" | "past_pivot" | "final" | "unknown";
  /** Cancels a task that has not begun. Returns false if it has, or is over. */
  withdraw(cancel: { id: number; now: number }): boolean;
  /** Saves the progress of a running task. */
  saveProgress(progress: { id: number; detail: string; progress: number }): void;
  /** Returns a task that lists contain, if there is one with this id. */
  get(id: number): TaskRow | undefined;
  /** Returns any stored task, even one that is in no list. */
  row(id: number): TaskRow | undefined;
  /** Lists tasks, newest first, without cancelled, cleared and awaited ones. */
  list(filter: TaskFilterRow): Page<TaskRow>;
  /** Hides a completed or failed task, and drops its request and its error if they are long. Returns false if there is no such task. */
  clearOne(cleared: { id: number; by?: Actor }): boolean;
  /** Does the same for all tasks that match the filter, newest first. Returns their ids. */
  clear(filter: Omit<TaskFilterRow, "limit"> & { by?: Actor }): Page<number>;
  /** Lists the tasks that are not final, or whose undo has failed, oldest first. */
  active(): ActiveTask[];
  /** Counts that a task was found running at a start. Returns how often that was so since its last finished step. */
  countAttempt(id: number): number;
  /** Resets the attempts of all running tasks, because the station ends in good order. */
  forgiveAttempts(): void;
  /** Returns those of these tasks that have left nothing: they never began, or were undone. */
  undone(ids: readonly number[]): number[];
  /** Returns the name of a task, if it is stored. */
  nameOf(id: number): string | undefined;
  /** Returns the owner of the container that a task made, even if the task is no longer stored; undefined if nobody is. */
  ownerOf(id: number): string | undefined;
  /** Lists the port claims of final tasks. The owner is the key of what the task made. */
  claims(): { protocol: string; port: number; owner: string }[];
  /** Returns the owner of the claim of a port, whatever the state of its task. */
  claimant(claim: { protocol: string; port: number }): string | undefined;
  /** Deletes the claims of an owner, except those of a task that is not final: it may make the next owner of that name. */
  releaseClaims(owner: string): void;
  /** Gives the claims of `from` to `to`. */
  moveClaims(move: { from: string; to: string }): void;
  /** Deletes tasks beyond the retention, newest first, page by page: `next` is the `from` of the next page. */
  purge(limits: Retention & { from: PurgeCursor | null }): { dropped: number; next: PurgeCursor | null };
  /** Deletes idempotency keys, jobs and events beyond the retention. Returns their number; 0: there are no more. */
  purgeRecords(limits: Retention): number;
}

export type TaskStore = Async<TaskVerbs>;
