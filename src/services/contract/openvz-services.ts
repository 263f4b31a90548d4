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
 * Part of the interface in services.ts: the containers-and-jobs API. Ids are UUIDs. `not_found` has the documented
 * sentence; `conflict` with the `field` name is the documented refusal of a name that is taken.
 */
export interface OpenvzService {
  /** Answers when the job is on disk. The container is made and started. */
  create(caller: Caller, request: OpenvzCreate): Promise<OpenvzAccepted>;
  list(caller: Caller): Promise<OpenvzContainerList>;
  get(caller: Caller, id: string): Promise<OpenvzContainerAnswer>;
  /**
   * Of a container by its id, or by that of a job that was about it. Answers when the change applies; what is refused
   * has changed nothing. `timeout` after 120 s, and the job goes on.
   */
  update(caller: Caller, id: string, request: OpenvzUpdate, signal: AbortSignal): Promise<OpenvzUpdated>;
  /** A running one is stopped first. */
  remove(caller: Caller, id: string): Promise<OpenvzAccepted>;
  start(caller: Caller, id: string): Promise<OpenvzAccepted>;
  stop(caller: Caller, id: string): Promise<OpenvzAccepted>;
  restart(caller: Caller, id: string): Promise<OpenvzAccepted>;
  getJob(caller: Caller, id: string): Promise<OpenvzJobAnswer>;
  /** Newest first, 1000 at most. */
  listJobs(caller: Caller): Promise<OpenvzJobList>;
}
