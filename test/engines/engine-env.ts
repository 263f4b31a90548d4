import type { Capabilities } from "../../src/engines/capabilities.ts";
import type { Engine } from "../../src/engines/engine.ts";
import type { RegistryLogin } from "../../src/engines/images.ts";

/** Where the suite runs: an engine, and references of images whose registries behave in a known way. */
export interface EngineEnv {
  engine: Engine;
  images: {
    /** Pulled at the start; its containers stay up by themselves. */
    base: string;
    /** To be had, and not used by anything else. */
    other: string;
    /** To be had, in a second or more. */
    slow: string;
    /** The registry answers, and has it not. */
    missing: string;
    /** Nothing answers. */
    unreachable: string;
    /** The registry answers with an error of its own. */
    broken: string;
    /** Only with `login`; empty where an engine's registries have none. */
    locked: string;
  };
  login?: RegistryLogin;
  freePort(): Promise<number>;
  /** The station itself pulls: the engine's end is not a pull's. */
  ownPulls?: true;
  /** Ends the engine without warning. Containers stay. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** What decides which of the suite's tests an engine gets. */
export type Abilities = Pick<Capabilities, "registries" | "publishedPorts" | "imagesInUse" | "commits" | "reshapes"> & {
  /** Its containers run on this host: what is changed of them can be seen there. The fake's do not. */
  hasProcesses: boolean;
};
