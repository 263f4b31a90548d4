import type { DaemonFolders } from "./daemon.ts";
import type { Needs } from "./packages.ts";

export const engineNames = ["docker", "lxc", "lxd"] as const;
export type EngineName = (typeof engineNames)[number];

/** ready: nothing to do. stopped: installed, and still to be started or configured. Else why nothing can be done. */
export type EngineLook = "ready" | "stopped" | "missing" | { reason: string };

export interface StartContext {
  folders: DaemonFolders;
  env: Record<string, string>;
  systemd: boolean;
  /** Its packages were installed just now, so nobody has come to rely on their first configuration. */
  fresh: boolean;
  /** One line for the user. */
  log: (line: string) => void;
}

/** What set-up knows of one kind of engine. */
export interface EngineSetup {
  /** For people. */
  title: string;
  /** What it consists of. */
  needs: Needs;
  /** What the station's own work with it takes, whoever set it up. */
  tools: Needs;
  look(): Promise<EngineLook>;
  /** Starts and configures what is installed. Throws with a sentence for the user. */
  start(context: StartContext): Promise<void>;
  /** Only what set-up started; containers run on. Answers the names of what was stopped. */
  stop(folders: DaemonFolders, log: (line: string) => void): Promise<string[]>;
  /** Names of the bridges on which its containers go out; they may be missing. */
  bridges(): string[];
}
