import type { ContainerInfo } from "../../api/container-info.ts";
import type { CreateRequest, ImageDownloadRequest } from "../../api/create.ts";
import type { ImageRemoveRequest } from "../../api/image-remove.ts";
import type { CommitRequest, ExecAnswer, ExecRequest, ResourceAnswer, SyncCreateRequest } from "../../api/lifecycle.ts";
import type { RegistryList, RegistryRequest } from "../../api/registry.ts";
import type { EventList } from "../../api/event.ts";
import type { BridgeList, PortUse, SystemInfo, SystemResource } from "../../api/system.ts";
import type { Task } from "../../api/task.ts";
import type { DomainNames, TlsInfo, TlsNotify, TlsResult } from "../../api/tls.ts";
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
import type { OpenvzService } from "./openvz-services.ts";

// One door for the HTTP layer.
export type { Caller, Download };
export type { OpenvzService };
export type { LogService, RefusalService, SecondStepService, SessionService, TokenService, UserService };

/**
 * All that the HTTP layer can reach. Everything that crosses is JSON, an AbortSignal or an async iterable, so that an
 * unprivileged front and a root core, or a second host, are a matter of transport. Who is calling is resolved and what
 * he may do is decided behind this line, for every method but those marked open.
 */
export interface Services {
  sessions: SessionService;
  users: UserService;
  tokens: TokenService;
  secondStep: SecondStepService;
  log: LogService;
  refusals: RefusalService;
  background: BackgroundService;
  lifecycle: LifecycleService;
  inside: InsideService;
  containerList: ContainerListService;
  registries: RegistryService;
  events: EventService;
  health: HealthService;
  system: SystemService;
  certificates: CertificateService;
  openvz: OpenvzService;
}

/** Categories that this version carries out, with the request that each takes. */
export interface TaskRequests {
  create: CreateRequest;
  image_download: ImageDownloadRequest;
  /** The same by the name that some clients have for it. */
  image_pull: ImageDownloadRequest;
  image_remove: ImageRemoveRequest;
}
export type BackgroundKind = keyof TaskRequests;

export interface AddOptions {
  /** The Idempotency-Key header. */
  idempotencyKey?: string | undefined;
}

export interface TaskFilter {
  category?: string | undefined;
  /** Only older ones than this id. */
  before?: number | undefined;
}

export interface TaskPage {
  tasks: Task[];
  /** The `before` of the next page; absent: this was the last. */
  next: number | undefined;
}

export interface BackgroundService {
  /** Answers when the task is on disk. */
  add<K extends BackgroundKind>(caller: Caller, kind: K, request: TaskRequests[K], options: AddOptions): Promise<Task>;
  /** For a category that is documented but not carried out by this version, or is not known: always throws. */
  refuse(caller: Caller, category: string): Promise<never>;
  /** Newest first, part by part, until the signal aborts; `too_many` when the user reads too many at once. Long values are cut. */
  list(caller: Caller, filter: TaskFilter, signal: AbortSignal): Promise<AsyncIterable<Task[]>>;
  /** At most `limit` of them, and fewer where they are large. */
  page(caller: Caller, filter: TaskFilter & { limit: number }): Promise<TaskPage>;
  /** One task, with all its values. */
  get(caller: Caller, id: string): Promise<Task>;
  /** `undefined` = all, a category, or one id. Ids of what is gone, ascending. A running task is cancelled first. */
  remove(caller: Caller, target: string | undefined): Promise<number[]>;
}

/** A container by its id or its name. */
export interface ContainerPlace {
  type: ContainerType;
  id: string;
}

/**
 * What is done with one container. Each is a task of its own, in no list, and the answer comes with its end: `conflict`
 * at once behind a long task at the same container, naming it; `timeout` after 120 s, naming this one, which goes on.
 * When the signal aborts what has not begun is taken back.
 */
export interface LifecycleService {
  /** As `background.add` with `create`. */
  create(
    caller: Caller,
    request: SyncCreateRequest,
    options: AddOptions & { signal: AbortSignal },
  ): Promise<ContainerInfo>;
  start(caller: Caller, place: ContainerPlace, signal: AbortSignal): Promise<ContainerInfo>;
  /** `grace` in seconds. */
  stop(
    caller: Caller,
    place: ContainerPlace,
    how: { grace: number | undefined },
    signal: AbortSignal,
  ): Promise<ContainerInfo>;
  restart: LifecycleService["stop"];
  pause: LifecycleService["start"];
  unpause: LifecycleService["start"];
  rename(caller: Caller, place: ContainerPlace, to: { name: string }, signal: AbortSignal): Promise<ContainerInfo>;
  setAutostart(
    caller: Caller,
    place: ContainerPlace,
    to: { on: boolean },
    signal: AbortSignal,
  ): Promise<ResourceAnswer>;
  /** Only docker. */
  commit(
    caller: Caller,
    place: ContainerPlace,
    request: CommitRequest,
    signal: AbortSignal,
  ): Promise<{ image_id: string }>;
  /** `conflict` for a running one without `force`. */
  remove(
    caller: Caller,
    place: ContainerPlace,
    how: { removeVolumes: boolean; force: boolean },
    signal: AbortSignal,
  ): Promise<Record<string, never>>;
  settings(caller: Caller, place: ContainerPlace): Promise<ResourceAnswer>;
}

/** The end of a container's log. */
export interface LogEnd {
  logs: string;
  /** The lines that were asked for. */
  tail: number;
  /** A limit cut lines off that were asked for. */
  truncated: boolean;
}

/** Looks into one container, and programs in it. */
export interface InsideService {
  inspect(caller: Caller, place: ContainerPlace): Promise<Record<string, unknown>>;
  /** `tail` = lines. */
  logs(caller: Caller, place: ContainerPlace, how: { tail: number | undefined }): Promise<LogEnd>;
  /** Runs at most once; killed when the signal aborts. */
  exec(caller: Caller, place: ContainerPlace, request: ExecRequest, signal: AbortSignal): Promise<ExecAnswer>;
}

export type ContainerType = ContainerInfo["type"];

/** What there is, from memory. `engine_unavailable` when one engine is asked for and does not answer. */
export interface ContainerListService {
  /** Of all engines; those of one that does not answer as they were known last. */
  list(caller: Caller): Promise<ContainerInfo[]>;
  /** By id or name; for docker also by the beginning of an id, 12 digits or more. */
  get(caller: Caller, type: ContainerType, idOrName: string): Promise<ContainerInfo>;
  /** The first of that name: docker before lxc before lxd. */
  find(caller: Caller, name: string): Promise<ContainerInfo>;
  idOf(caller: Caller, type: ContainerType, name: string): Promise<string>;
}

export interface RegistryService {
  list(caller: Caller): Promise<RegistryList>;
  save(caller: Caller, request: RegistryRequest): Promise<RegistryList>;
  remove(caller: Caller, name: string): Promise<RegistryList>;
}

/** A committed event. */
export interface StationEvent {
  /** Ascending over the station's life. */
  seq: number;
  /** `background`, `container`, `image`. */
  kind: string;
  /** Epoch seconds. */
  ts: number;
  user: string;
  data: unknown;
}

export type StreamItem =
  | { type: "event"; event: StationEvent }
  /** A running task's progress; not stored. */
  | { type: "progress"; task: { tid: number; progress: number; detail_state: string } }
  /** Events between the asked-for one and `seq` are no longer kept. */
  | { type: "reset"; seq: number };

/** Numbers of events. */
export interface EventRange {
  /** Only those after it; without it the last 20. */
  index?: number | undefined;
  /** None after it. */
  offset?: number | undefined;
}

export interface StateWait {
  type: ContainerType;
  id: string;
  state: ContainerInfo["state"];
  /** Seconds. */
  duration: number;
}

export interface EventService {
  /** The documented strings, newest first. */
  recent(caller: Caller, range: EventRange): Promise<EventList>;
  /** Answers the container when it is in that state, or as it is when the time is over. */
  wait(caller: Caller, wait: StateWait, signal: AbortSignal): Promise<ContainerInfo>;
  /** From the event after `after` (absent: from now on) until the signal aborts or the session ends. */
  stream(caller: Caller, after: number | undefined, signal: AbortSignal): Promise<AsyncIterable<StreamItem>>;
}

export interface Health {
  status: "ok";
  engines: { type: string; available: boolean }[];
}

export interface HealthService {
  /** Open. */
  get(): Health;
}

export interface SystemService {
  get(caller: Caller): Promise<SystemInfo>;
  /** Numbers of the last second or so. */
  resource(caller: Caller): Promise<SystemResource>;
  /** Whether a process, a container or the station has it, on any address. `port` is from 1 to 65535. */
  port(caller: Caller, protocol: "tcp" | "udp", port: number): Promise<PortUse>;
  bridges(caller: Caller): Promise<BridgeList>;
  /** A zip for a bug report, without secrets. */
  report(caller: Caller): Promise<Download>;
}

export interface CertificateService {
  get(caller: Caller): Promise<TlsInfo>;
  setNotify(caller: Caller, request: TlsNotify): Promise<TlsResult>;
  domainNames(caller: Caller): Promise<DomainNames>;
  /** Renews the server's certificate at once. */
  setDomainNames(caller: Caller, request: DomainNames): Promise<TlsResult>;
  /** A zip of ca.pem, cert.pem and key.pem: whoever has it is root of this host by its Docker. */
  exportClient(caller: Caller): Promise<Download>;
  /** ca.pem */
  exportAuthority(caller: Caller): Promise<Download>;
  /** The client certificates given out so far open nothing when this resolves. */
  rotate(caller: Caller): Promise<TlsResult>;
}
