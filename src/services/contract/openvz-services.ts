import type {
  OpenvzAccepted,
  OpenvzContainerAnswer,
  OpenvzContainerList,
  OpenvzCreate,
  OpenvzJobAnswer,
  OpenvzJobList,
  OpenvzUpdate,
  OpenvzUpdated,
} from "../../api/openvz.ts";
import type { Caller } from "./caller.ts";

/**
 * Part of the interface in services.ts: the containers-and-jobs API. Ids are UUIDs. Errors with the code `not_found` have
 * the documented sentence. `conflict` with the `field` name is the documented refusal of a name that is taken.
 */
export interface OpenvzService {
  /** Accepts a job that makes and starts a container. The job is on disk when this resolves. */
  create(caller: Caller, request: OpenvzCreate): Promise<OpenvzAccepted>;
  /** Lists the containers of this API that the caller may see. */
  list(caller: Caller): Promise<OpenvzContainerList>;
  /** Returns one container. */
  get(caller: Caller, id: string): Promise<OpenvzContainerAnswer>;
  /**
   * Changes a container, by its id or by the id of a job that was about it. Resolves when the change applies; a change that
   * is refused has changed nothing. Throws `timeout` after 120 s, and the job goes on.
   */
  update(caller: Caller, id: string, request: OpenvzUpdate, signal: AbortSignal): Promise<OpenvzUpdated>;
  /** Removes a container, as a job. A running one is stopped first. */
  remove(caller: Caller, id: string): Promise<OpenvzAccepted>;
  /** Starts a container, as a job. */
  start(caller: Caller, id: string): Promise<OpenvzAccepted>;
  /** Stops a container, as a job. */
  stop(caller: Caller, id: string): Promise<OpenvzAccepted>;
  /** Restarts a container, as a job. */
  restart(caller: Caller, id: string): Promise<OpenvzAccepted>;
  /** Returns how far a job is. */
  getJob(caller: Caller, id: string): Promise<OpenvzJobAnswer>;
  /** Lists the newest 1000 jobs that the caller may see, newest first. */
  listJobs(caller: Caller): Promise<OpenvzJobList>;
}
