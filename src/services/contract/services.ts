import type { ContainerInfo } from "../../api/container-info.ts";
import type { ContainerType } from "../../api/create.ts";
import type { CommitRequest, ExecAnswer, ExecRequest, ResourceAnswer, SyncCreateRequest } from "../../api/lifecycle.ts";
import type { RegistryList, RegistryRequest } from "../../api/registry.ts";
import type { BodyOf } from "../../api/route.ts";
import type { backgroundRoutes } from "../../api/routes/background.ts";
import type { Task } from "../../api/task.ts";
import type {
  LogService,
  RefusalService,
  SecondStepService,
  SessionService,
  TokenService,
  UserService,
} from "./account-services.ts";
import type { Caller } from "./caller.ts";
import type { Download } from "./download.ts";
import type { EventService, StationEvent, StreamItem } from "./event-services.ts";
import type { OpenvzService } from "./openvz-services.ts";
import type { CertificateService, HealthService, SystemService } from "./system-services.ts";

// The HTTP layer imports this file only.
export type { Caller, Download };
export type { EventService, StationEvent, StreamItem };
export type { OpenvzService };
export type { CertificateService, HealthService, SystemService };
export type { LogService, RefusalService, SecondStepService, SessionService, TokenService, UserService };

/**
 * All that the HTTP layer can reach. Everything that crosses is JSON, an AbortSignal or an async iterable, so that it could
 * be carried to another process or host. Every method but those that are open to everybody finds out who calls, and throws
 * `unauthenticated` if nobody does, and `forbidden` or `not_found` for what the caller may not do or see.
 */
export interface Services {
  /** Logins and sessions. */
  sessions: SessionService;
  /** Users. */
  users: UserService;
  /** Tokens of programs. */
  tokens: TokenService;
  /** The second step of logins. */
  secondStep: SecondStepService;
  /** The activity log. */
  log: LogService;
  /** Refusals of the HTTP layer itself, for the activity log. */
  refusals: RefusalService;
  /** Background tasks. */
  background: BackgroundService;
  /** Verbs of one container whose end is waited for. */
  lifecycle: LifecycleService;
  /** Inspect, logs and exec of one container. */
  inside: InsideService;
  /** Lists of containers. */
  containerList: ContainerListService;
  /** Saved registries. */
  registries: RegistryService;
  /** Events of the station. */
  events: EventService;
  /** Whether the station and its engines answer. */
  health: HealthService;
  /** The host and the station. */
  system: SystemService;
  /** Certificates of the station and of its Docker gateway. */
  certificates: CertificateService;
  /** The containers-and-jobs API. */
  openvz: OpenvzService;
}

/**
 * The kinds of background tasks that this version carries out, with the request that each takes: those that have a route.
 */
export type TaskRequests = {
  [Name in keyof typeof backgroundRoutes as Name extends `background.add:${infer Kind}` ? Kind : never]: BodyOf<
    (typeof backgroundRoutes)[Name]
  >;
};
export type BackgroundKind = keyof TaskRequests;

export interface AddOptions {
  /** The Idempotency-Key header. */
  idempotencyKey?: string | undefined;
}

export interface TaskFilter {
  /** Only this category, or its alias. */
  category?: string | undefined;
  /** Only tasks that are older than the one with this id. */
  before?: number | undefined;
}

export interface TaskPage {
  /** The tasks, newest first. */
  tasks: Task[];
  /** The `before` of the next page; undefined if this is the last one. */
  next: number | undefined;
}

export interface BackgroundService {
  /** Accepts a task, which is on disk when this resolves. Throws `invalid`, `conflict`, `too_many` or `key_reused`. */
  add<K extends BackgroundKind>(caller: Caller, kind: K, request: TaskRequests[K], options: AddOptions): Promise<Task>;
  /** Throws `unsupported` for a documented category that this version does not carry out, and `not_found` for any other. */
  refuse(caller: Caller, category: string): Promise<never>;
  /**
   * Lists all tasks, newest first, part by part, until the signal aborts. Long values are cut. Throws `too_many` if the
   * user reads too many lists at once.
   */
  list(caller: Caller, filter: TaskFilter, signal: AbortSignal): Promise<AsyncIterable<Task[]>>;
  /** Lists at most `limit` tasks, and fewer where they are large. */
  page(caller: Caller, filter: TaskFilter & { limit: number }): Promise<TaskPage>;
  /** Returns one task with all its values. */
  get(caller: Caller, id: string): Promise<Task>;
  /**
   * Deletes the tasks that have ended: all (`undefined`), those of a category, or the one with an id, which is cancelled
   * first if it has not ended. Returns the ids of the deleted tasks, ascending.
   */
  remove(caller: Caller, target: string | undefined): Promise<number[]>;
}

/** A container as a caller names it. */
export interface ContainerPlace {
  /** Type of its engine. */
  type: ContainerType;
  /** Its id, its name, or for Docker the beginning of its id. */
  id: string;
}

/**
 * Verbs of one container. Each is a task of its own that is in no list, and resolves with the task's end. Throws `conflict`
 * at once behind a heavy task for the same container, naming that task, and `timeout` after 120 s, naming this one, which
 * goes on. If the signal aborts, a task that has not begun is withdrawn.
 */
export interface LifecycleService {
  /** Creates a container, as `background.add` with `create`, and waits until it runs. */
  create(
    caller: Caller,
    request: SyncCreateRequest,
    options: AddOptions & { signal: AbortSignal },
  ): Promise<ContainerInfo>;
  /** Starts a container. Throws `conflict` for a paused one. */
  start(caller: Caller, place: ContainerPlace, signal: AbortSignal): Promise<ContainerInfo>;
  /** Stops a container, and kills it if it has not ended after `grace` seconds. */
  stop(
    caller: Caller,
    place: ContainerPlace,
    how: { grace: number | undefined },
    signal: AbortSignal,
  ): Promise<ContainerInfo>;
  /** Stops and starts a container. */
  restart: LifecycleService["stop"];
  /** Pauses a running container. */
  pause: LifecycleService["start"];
  /** Lets a paused container go on. */
  unpause: LifecycleService["start"];
  /** Gives a container another name. Throws `conflict` if the name is taken. */
  rename(caller: Caller, place: ContainerPlace, to: { name: string }, signal: AbortSignal): Promise<ContainerInfo>;
  /** Says whether a container is started with the host. */
  setAutostart(
    caller: Caller,
    place: ContainerPlace,
    to: { on: boolean },
    signal: AbortSignal,
  ): Promise<ResourceAnswer>;
  /** Makes an image of a Docker container. Throws `unsupported` for other types. */
  commit(
    caller: Caller,
    place: ContainerPlace,
    request: CommitRequest,
    signal: AbortSignal,
  ): Promise<{ image_id: string }>;
  /** Removes a container. Throws `conflict` for a running one without `force`. */
  remove(
    caller: Caller,
    place: ContainerPlace,
    how: { removeVolumes: boolean; force: boolean },
    signal: AbortSignal,
  ): Promise<Record<string, never>>;
  /** Returns what a container was given when it was made, or changed to since. */
  settings(caller: Caller, place: ContainerPlace): Promise<ResourceAnswer>;
}

/** The end of a container's log. */
export interface LogEnd {
  /** The lines. */
  logs: string;
  /** How many lines were asked for. */
  tail: number;
  /** True if a limit cut off lines that were asked for. */
  truncated: boolean;
}

/** What is inside one container. */
export interface InsideService {
  /** Returns the engine's own description of a container. */
  inspect(caller: Caller, place: ContainerPlace): Promise<Record<string, unknown>>;
  /** Returns the last `tail` lines of a container's log. */
  logs(caller: Caller, place: ContainerPlace, how: { tail: number | undefined }): Promise<LogEnd>;
  /** Runs a command in a container, at most once. It is killed if the signal aborts. */
  exec(caller: Caller, place: ContainerPlace, request: ExecRequest, signal: AbortSignal): Promise<ExecAnswer>;
}

/** The containers as they are known in memory. Throws `engine_unavailable` if one engine is named and does not answer. */
export interface ContainerListService {
  /** Lists the containers of all engines; those of an engine that does not answer as they were known last. */
  list(caller: Caller): Promise<ContainerInfo[]>;
  /** Returns a container by its id or name; for Docker also by the beginning of its id, 12 digits or more. */
  get(caller: Caller, type: ContainerType, idOrName: string): Promise<ContainerInfo>;
  /** Returns the first container of this name: Docker's before LXC's before LXD's. */
  find(caller: Caller, name: string): Promise<ContainerInfo>;
  /** Returns the id of the container of this name. */
  idOf(caller: Caller, type: ContainerType, name: string): Promise<string>;
}

/** The saved registries. Passwords are never returned. */
export interface RegistryService {
  /** Lists the registries. */
  list(caller: Caller): Promise<RegistryList>;
  /** Saves a registry under its name, and returns the list. */
  save(caller: Caller, request: RegistryRequest): Promise<RegistryList>;
  /** Removes the registry of this name, and returns the list. Throws `not_found`. */
  remove(caller: Caller, name: string): Promise<RegistryList>;
}
