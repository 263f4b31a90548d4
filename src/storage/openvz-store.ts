import type { Async } from "./async.ts";
import type { OpenvzJob, StoredState } from "./task-store.ts";

/** A container that was made by the containers-and-jobs API. Whose it is, its task says, as of all containers. */
export interface OpenvzContainerRow {
  /** A UUID. */
  id: string;
  /** As it was made; it may have got another name since. */
  name: string;
  ostemplate: string;
  engine: string;
  /** JSON of the map that was sent last; null: none was. */
  parameters: string | null;
  description: string | null;
  /** Epoch milliseconds. */
  createdAt: number;
  /** That made it, and whose mark it bears. */
  task: number;
}

export interface OpenvzJobRow extends OpenvzJob {
  user: string;
  task: number;
  createdAt: number;
  state: StoredState;
  error: string | null;
  /** JSON of the task's request; null: the task is over so long that only the job is known. */
  params: string | null;
}

export interface OpenvzVerbs {
  /** Nothing happens when it is there. */
  record(row: Pick<OpenvzContainerRow, "id" | "name" | "ostemplate" | "engine" | "createdAt" | "task">): void;
  /** An absent description stays as it was. */
  setParameters(change: { id: string; parameters: string; description?: string }): void;
  forget(id: string): void;
  container(id: string): OpenvzContainerRow | undefined;
  /** The one that this job was about. */
  containerOfJob(id: string): OpenvzContainerRow | undefined;
  ofTask(task: number): OpenvzContainerRow | undefined;
  /** Oldest first; of a user only when one is given. */
  containers(filter: { user?: string | undefined }): OpenvzContainerRow[];
  job(id: string): OpenvzJobRow | undefined;
  /** Newest first. */
  jobs(filter: { user?: string | undefined; limit: number }): OpenvzJobRow[];
}

export type OpenvzStore = Async<OpenvzVerbs>;
