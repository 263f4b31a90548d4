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
import type { ContainerSettings, ContainerSpec, OwnerMark, PortMapping } from "./container-spec.ts";
import type { Images } from "./images.ts";
import type { Reshaping } from "./shape.ts";

/** All engines that the station can drive, in the order in which they are listed. */
export const engineTypes = ["docker", "lxc", "lxd"] as const;
/** One of them, as in requests and keys. */
export type EngineType = (typeof engineTypes)[number];

/** What an engine says of itself. */
export interface EngineInfo {
  /** As the engine says it, as 20.10.24. */
  version: string;
  /** docker only: the storage driver. */
  storageDriver?: string;
}

/** All states of a container; a paused one is running. */
export const containerStates = ["running", "stopped"] as const;
/** One of them. */
export type ContainerState = (typeof containerStates)[number];

/** A container as its engine shows it at one moment. */
export interface Container {
  /** As the engine knows it: docker's 64 hex digits, else the name. */
  id: string;
  /** Which container it is, for good: one that is made later with the same name or id has another incarnation. */
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
