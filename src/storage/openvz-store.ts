import type { Async } from "./async.ts";
import type { OpenvzJob, StoredState } from "./task-store.ts";

/** A container that was made by the containers-and-jobs API. As for all containers, its owner is the user of its task. */
export interface OpenvzContainerRow {
  /** A UUID, by which this API names the container. */
  id: string;
  /** Name with which it was made; it may have been renamed since. */
  name: string;
  /** Template from which it was made. */
  ostemplate: string;
  /** Type of its engine, `lxc` or `lxd`. */
  engine: string;
  /** JSON of the parameters that were sent last; null if none were. */
  parameters: string | null;
  /** Description that a client has given it; null if none has. */
  description: string | null;
  /** Epoch milliseconds. */
  createdAt: number;
  /** The task that made it; the container bears its mark. */
  task: number;
}

/** A job with what its task says. */
export interface OpenvzJobRow extends OpenvzJob {
  /** Name of the user who asked for it. */
  user: string;
  /** Id of its task. */
  task: number;
  /** Epoch milliseconds. */
  createdAt: number;
  /** State of its task; `completed` if the task is no longer stored. */
  state: StoredState;
  /** Why the task failed: a sentence for a person; null if it did not. */
  error: string | null;
  /** JSON of the task's request; null if the task is no longer stored. */
  params: string | null;
}

export interface OpenvzVerbs {
  /** Adds a container. Does nothing if its id is known. */
  record(row: Pick<OpenvzContainerRow, "id" | "name" | "ostemplate" | "engine" | "createdAt" | "task">): void;
  /** Replaces a container's parameters, and its description if one is given. */
  setParameters(change: { id: string; parameters: string; description?: string }): void;
  /** Removes a container. Does nothing if there is none with this id. */
  forget(id: string): void;
  /** Returns the container with this id, if any. */
  container(id: string): OpenvzContainerRow | undefined;
  /** Returns the container that a job was about, if it is still known. */
  containerOfJob(id: string): OpenvzContainerRow | undefined;
  /** Returns the container that a task made, if any. */
  ofTask(task: number): OpenvzContainerRow | undefined;
  /** Lists containers, oldest first, of one user if one is given. */
  containers(filter: { user?: string | undefined }): OpenvzContainerRow[];
  /** Returns the job with this id, if any. */
  job(id: string): OpenvzJobRow | undefined;
  /** Lists jobs, newest first, of one user if one is given. */
  jobs(filter: { user?: string | undefined; limit: number }): OpenvzJobRow[];
}

export type OpenvzStore = Async<OpenvzVerbs>;
