/**
 * What the station needs of a container engine. A driver is a factory that answers an `Engine`: one sub-interface per
 * resource, every method abortable, no native type of the engine in sight. What an engine cannot do is a capability
 * flag, never a surprise at run time. `test/engines/contract.ts` is the suite that every driver passes.
 *
 * Errors: `engine_unavailable` when the engine does not answer (socket gone, connection cut: the outcome of the call is
 * then unknown), `not_found`, `conflict`, `remote_failed` (a registry failed), else `engine_failed` with the engine's
 * reason in plain words.
 */
import type { Capabilities } from "./capabilities.ts";
import type { ContainerLife, RemoveOptions } from "./container-life.ts";
import type { Reshaping } from "./shape.ts";

/** All engines that the station can drive, in the order in which they are listed. */
export const engineTypes = ["docker", "lxc", "lxd"] as const;
/** One of them, as in requests and keys. */
export type EngineType = (typeof engineTypes)[number];

/**
 * The station and the task that made a thing. An engine keeps it with the thing (a label, a config key, a file), and whatever
 * is undone is first looked up by it, never by name alone.
 */
export interface OwnerMark {
  /** The station's own id, a UUID. */
  station: string;
  /** The task's id. */
  task: number;
}

/** What an engine says of itself. */
export interface EngineInfo {
  /** As the engine says it, as 20.10.24. */
  version: string;
  /** docker only: the storage driver. */
  storageDriver?: string;
}

/** What a port carries. */
export type Protocol = "tcp" | "udp";
/** All states of a container; a paused one is running. */
export const containerStates = ["running", "stopped"] as const;
/** One of them. */
export type ContainerState = (typeof containerStates)[number];

/** A port of the host that leads to a port of a container. */
export interface PortMapping {
  /** The port of the host, 1 to 65535. */
  host: number;
  /** The port of the container, 1 to 65535. */
  container: number;
  /** What is forwarded. */
  protocol: Protocol;
}

/** A rule for the device cgroup: all minors of the majors. */
export interface DeviceRule {
  /** Kinds and major numbers of the kernel; `c` = character device, `b` = block device. */
  majors: readonly { kind: "c" | "b"; major: number }[];
  /** One or more of r, w, m. */
  access: string;
}

/** A folder of the host that a container sees. */
export interface Mount {
  /** Absolute path on the host; it exists, and no part of it is a link. */
  source: string;
  /** Absolute path in the container. */
  target: string;
  /** The container cannot write to it. */
  readOnly: boolean;
}

/** What a container may use at most; what is absent is not limited. */
export interface Limits {
  /** Relative share of CPU time, 2 to 1024. */
  cpuWeight?: number;
  /** Milliseconds of one core in each second. */
  cpuTime?: number;
  /** Bytes. */
  memory?: number;
  /** Bytes of its root file system, which cannot grow beyond. Only with `sizes`. */
  size?: number;
}

/** Where a container's network card is. */
export type NetworkMode =
  /** Behind the engine's own bridge. */
  | { mode: "nat" }
  /** The host's own network. */
  | { mode: "host" }
  /** An address on the network that `interface` is in; `join` = that interface is a bridge, and is joined. */
  | { mode: "bridge"; interface: string; join: boolean; address: LanAddress }
  /** A network of the engine's own; no other has its name. */
  | { mode: "network"; name: string };

/** Where a container's address on the LAN comes from. */
export type LanAddress =
  | { by: "dhcp" }
  /** `address` with prefix length, as 192.168.1.20/24. */
  | { by: "static"; address: string; gateway?: string };

/** Lets a container reach another one by a name of its own. */
export interface Link {
  /** The other container's id, in full. */
  container: string;
  /** The name by which it is reached. */
  alias: string;
}

/** A container to be made. Everything is checked already; the driver only translates. */
export interface ContainerSpec {
  /** No other container of the engine has it, or creating it is a `conflict`. */
  name: string;
  /** As the engine names it: for docker `repository:tag`, for lxd an alias or a fingerprint. The image is present. */
  image: string;
  /** Kept with the container. */
  mark: OwnerMark;
  /** Says whether it starts when the host boots. */
  autostart: boolean;
  /** Root in the container is root of the host. */
  privileged: boolean;
  /** Absent = the image's own. */
  entrypoint?: readonly string[];
  /** Arguments of the entry point. Absent = the image's own. */
  command?: readonly string[];
  /** Name or number of its first process's user, with or without `:group`. Absent = the image's own. */
  user?: string;
  /** An absolute path. Absent = the image's own. */
  workingDir?: string;
  /** Absent = the engine's choice. */
  hostname?: string;
  /** As 00:16:3e:aa:00:01. Absent = the engine's or the driver's choice. */
  macAddress?: string;
  /** NAME=VALUE. */
  environment: readonly string[];
  /** Addresses of name servers. Only with `nameServers`; [] = the engine's own. */
  dns: readonly string[];
  /** Ports of the host that lead to it; see `publishedPorts`. */
  ports: readonly PortMapping[];
  /** TCP ports that it says it serves; nothing leads there. */
  exposedPorts: readonly number[];
  /** Other containers that it reaches by name. Only with `engineVolumes`. */
  links: readonly Link[];
  /** Where its network card is. */
  network: NetworkMode;
  /** What is absent is not limited. */
  limits: Limits;
  /** Devices of the host that it may use beside the usual ones. */
  devices: readonly DeviceRule[];
  /** Give every GPU of the host. */
  gpu: boolean;
  /** Folders of the host that it sees. */
  mounts: readonly Mount[];
  /** Mounts all volumes of the containers with these ids. */
  volumesFrom: readonly string[];
  /** Paths that get a new, empty volume. */
  newVolumes: readonly string[];
}

/** What a container was given, as far as the engine still knows; an architecture as amd64. */
export type ContainerSettings = Pick<ContainerSpec, "autostart" | "limits" | "devices" | "mounts"> & {
  /** Ids, or names where the container was made by another program. */
  volumesFrom: readonly string[];
  hostname: string;
  /** `nat`, `host`, `bridge`, or the name of a network of the engine's own. */
  mode: string;
  architecture: string;
};

/** A container as its engine shows it at one moment. */
export interface Container {
  /** As the engine knows it: docker's 64 hex digits, else the name. */
  id: string;
  /** Another container that gets the name later has another one. */
  incarnation: string;
  /** As a user calls it. */
  name: string;
  /** Running also while it is paused. */
  state: ContainerState;
  /** As given at create. */
  image: string;
  /** Id of the image that it was made from; empty where the engine does not know. */
  imageId: string;
  /** Absent: not made by a station, or by one that did not mark it. */
  mark?: OwnerMark;
  /** Published on the host: by the engine, or, where it does not (`publishedPorts`), by the station. */
  ports: readonly PortMapping[];
  /** Where the station forwards `ports` to: the address that it keeps for life, and the bridge that leads there. */
  forward?: { address: string; bridge: string };
  /** Process id of the first process on the host, 0 = not running. */
  pid: number;
  /** It was running, and is not any more. */
  ended?: true;
  /** It runs, and all its processes stand still. */
  paused?: true;
  /** Folders of the host that it mounts, as the engine was told them. */
  mounts: readonly string[];
  /** MAC addresses of its network cards, in lower case: those that it was given, and those that it has. */
  macs?: readonly string[];
  /** IPv4 addresses that it was given, or has from its engine; without prefix length, and not those of DHCP. */
  addresses?: readonly string[];
  /** Root in it is root of the host, or can become it. */
  privileged?: true;
}

/** An image that an engine has. */
export interface Image {
  /** docker: sha256:DIGITS; lxc and lxd: 64 hex digits. */
  id: string;
  /** docker: `repository:tag`; lxd: aliases. */
  tags: readonly string[];
  /** Bytes. */
  size: number;
}

/** A login at a registry. */
export interface RegistryLogin {
  /** As the registry knows it. */
  username: string;
  /** A password or a token; never logged. */
  password: string;
  /** The registry's address, as Docker wants it in X-Registry-Auth. */
  serverAddress: string;
}

/** How far a pull is. */
export interface PullProgress {
  /** 0 to 100; -1 while the size is unknown. */
  percent: number;
  /** For a person, as "Download image:15%". */
  text: string;
}

/** How an image is pulled. */
export interface PullOptions {
  /** Absent: without a login. Only with `registries`. */
  login?: RegistryLogin;
  /** Told of each progress; percentages never go back. */
  onProgress?: (progress: PullProgress) => void;
  /** Stops the pull, which throws `cancelled` then. */
  signal: AbortSignal;
}

/** What an engine says about itself. */
export interface EngineEvent {
  /** What the event is about. */
  resource: "container" | "image";
  /** create, start, die, destroy, rename, ... as the engine says it. */
  action: string;
  /** The container's or the image's id, or the image's reference. */
  id: string;
  /** The container's name, where the engine says it and the id is another one. */
  name?: string;
}

/** Wherever a method takes an `id`, it is the container's whole id: whoever is given a text by a user resolves it first. */
export interface Containers extends ContainerLife, Reshaping {
  /** Returns all containers, running or not. */
  list(signal?: AbortSignal): Promise<Container[]>;
  /** Returns the container with exactly this id, in full; never one with this name, or whose id only begins so. */
  getById(id: string, signal?: AbortSignal): Promise<Container | undefined>;
  /** Returns the container with exactly this name. */
  getByName(name: string, signal?: AbortSignal): Promise<Container | undefined>;
  /** Makes a container, not started, and returns its id. `conflict` when the name is taken. */
  create(spec: ContainerSpec, signal?: AbortSignal): Promise<string>;
  /** Starts it. No error when it runs already; `conflict` when a port is taken. */
  start(id: string, signal?: AbortSignal): Promise<void>;
  /** Kills it; whatever its restart policy, it stays stopped until somebody starts it. */
  kill(id: string, signal?: AbortSignal): Promise<void>;
  /** Kills it first when it runs; its anonymous volumes go with it. No error when it is gone already. */
  remove(id: string, options?: RemoveOptions): Promise<void>;
  /** Returns what the container was asked for and changed to since. Throws `not_found`. */
  settings(id: string, signal?: AbortSignal): Promise<ContainerSettings>;
}

/** The images of an engine. */
export interface Images {
  /** Returns all images, with or without tags. */
  list(signal?: AbortSignal): Promise<Image[]>;
  /** Returns the image with this id or `repository:tag`; undefined when there is none. */
  get(reference: string, signal?: AbortSignal): Promise<Image | undefined>;
  /** Pulls an image. Aborting closes the connection: the engine stops, and no image appears. */
  pull(reference: string, options: PullOptions): Promise<void>;
  /**
   * Removes a tag (`repository:tag` or an alias), and the image with its last one; by an id the image. `conflict` when
   * a container uses it.
   */
  remove(reference: string, signal?: AbortSignal): Promise<void>;
}

/** One engine of this host, or one that it drives over the network. */
export interface Engine {
  /** The engine's name in requests and keys. */
  readonly type: EngineType;
  /** What it can do; the same for as long as the station runs. */
  readonly capabilities: Capabilities;
  /** Its containers. */
  readonly containers: Containers;
  /** Its images. */
  readonly images: Images;
  /**
   * Returns the names of networks that a container can be connected to, one for each network; absent: the engine has
   * none.
   */
  networks?(signal?: AbortSignal): Promise<string[]>;
  /** Returns what the engine says of itself. Throws `engine_unavailable` after 2 s. */
  info(): Promise<EngineInfo>;
  /** Returns the process of the engine's daemon on this host; undefined when it has none, or none was found. */
  daemon(): Promise<number | undefined>;
  /**
   * Yields events from now on, until the signal aborts (returns) or the connection ends (throws `engine_unavailable`).
   */
  events(signal: AbortSignal): AsyncIterable<EngineEvent>;
  /** Sets up what a running container needs that the engine does not keep over a restart (a DHCP address). */
  attachNetwork(container: Container, signal?: AbortSignal): Promise<void>;
  /**
   * Clears away what a station that was killed had under way here and nobody carries on: half-made files, by the marks
   * of that station only. Called once at its next start, when its helper processes are ended and before a task runs.
   */
  recover(station: string): Promise<void>;
  /** Closes connections and ends timers; containers run on. */
  close(): void;
}
