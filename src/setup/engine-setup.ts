import type { DaemonFolders } from "./daemon.ts";
import type { Requirements } from "./packages.ts";

/**
 * The condition of an engine: `ready` needs nothing, `stopped` is installed but must be started or configured, `missing`
 * must be installed. A reason says, as the end of a sentence, why set-up can do nothing.
 */
export type EngineCondition = "ready" | "stopped" | "missing" | { reason: string };

export interface StartContext {
  /** Folders of the daemons that are started. */
  folders: DaemonFolders;
  /** Environment of programs and daemons. */
  env: Record<string, string>;
  /** True if systemd runs on this host. */
  systemd: boolean;
  /** True if the packages were installed just now: nobody relies on their first configuration yet. */
  justInstalled: boolean;
  /** Prints one line for the user. */
  log: (line: string) => void;
}

/** How one type of engine is installed, started and stopped. */
export interface EngineSetup {
  /** Name for messages. */
  title: string;
  /** What the engine itself consists of. */
  needs: Requirements;
  /** What the station needs to work with the engine, whoever installed that. */
  tools: Requirements;
  /** Finds out the engine's condition without changing anything. */
  inspect(): Promise<EngineCondition>;
  /** Starts and configures the installed engine. Throws with a sentence for the user. */
  start(context: StartContext): Promise<void>;
  /** Stops what set-up started; containers run on. Returns the names of what was stopped. */
  stop(folders: DaemonFolders, log: (line: string) => void): Promise<string[]>;
  /** Returns the names of the bridges by which its containers reach other networks. Not all of them need exist. */
  bridges(): string[];
}
