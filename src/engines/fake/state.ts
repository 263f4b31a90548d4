import type { Capabilities } from "../capabilities.ts";
import type { Container, EngineType } from "../engine.ts";
import type { ContainerSpec } from "../container-spec.ts";
import type { Image, RegistryLogin } from "../images.ts";
import type { Shape } from "../shape.ts";

/** A call of the engine's interface. */
export interface FakeCall {
  /** As containers.create, images.pull, attachNetwork, info. */
  method: string;
  /** A name, an id or a reference. */
  subject: string;
  /** The caller's. */
  signal?: AbortSignal | undefined;
}

/** An image that a registry holds. */
export interface RemoteImage {
  /** Bytes. */
  size: number;
  /** Wanted before anything is given. */
  login?: Pick<RegistryLogin, "username" | "password">;
  /** Milliseconds of a whole download. */
  duration?: number;
}

/** How a fake engine behaves. */
export interface FakeEngineOptions {
  /** The engine that it stands for; docker unless given. */
  type?: EngineType;
  /** Those in which it differs from Docker. */
  capabilities?: Partial<Capabilities>;
  /** What its registries hold, by reference; a registry (the part before the first slash) without any does not answer. */
  remote?: Readonly<Record<string, RemoteImage>>;
  /** Delays a call by its promise, or fails it by throwing; nothing has been done yet. */
  before?: (call: FakeCall) => void | Promise<void>;
  /** The same, after it was done: throwing means that the answer was lost. */
  after?: (call: FakeCall) => void | Promise<void>;
}

/** What a fake engine has. */
export interface FakeState {
  /** By id. */
  containers: Map<string, Container>;
  /** What they were made by, by id. */
  specs: Map<string, ContainerSpec>;
  /** By id. */
  images: Map<string, Image>;
  /** What containers were given after they were made. */
  networks: Map<string, Pick<Shape, "addresses" | "nameServers">>;
  /** Counts ids and process ids. */
  serial: number;
  /** Aborted while the engine is down. */
  life: AbortController;
}

/** Runs a call as an engine does: refused while it is down, and ended by a crash or the caller's signal. */
export type Call = <T>(what: FakeCall, act: (cut: AbortSignal) => T | Promise<T>) => Promise<T>;
/** Tells subscribers of an event. */
export type Announce = (resource: "container" | "image", action: string, id: string) => void;
