/** What becomes of a container after it was made: the part of `Containers` that needs none of the engine's other types. */

/** How a container is asked to end. */
export interface StopOptions {
  /** Seconds that its first process is given to end by itself; 0 = it is killed. Absent: the engine's own, mostly 10. */
  grace?: number | undefined;
  /** Stops what can be stopped; the call throws `cancelled` then. */
  signal?: AbortSignal | undefined;
}

/** How a container is removed. */
export interface RemoveOptions {
  /** Its anonymous volumes stay. Only where the engine has volumes. */
  keepVolumes?: boolean;
  /** Stops what can be stopped; the call throws `cancelled` then. */
  signal?: AbortSignal;
}

/** The image that is made of a container. */
export interface CommitRequest {
  /** `repository:tag`, which is taken from the image that has it now. */
  reference: string;
  /** The author of the image, for a person; may be empty. */
  author: string;
  /** What the image says of itself, for a person; may be empty. */
  message: string;
}

/** A program that is run in a container. */
export interface ExecRequest {
  /** Program and arguments; no shell. */
  command: readonly [string, ...string[]];
  /** Name or number, with or without `:group`. Absent: the container's own. */
  user?: string | undefined;
  /** An absolute path. */
  workingDir?: string | undefined;
  /** NAME=VALUE. */
  environment: readonly string[];
}

/** How a program ended, and what it wrote. */
export interface ExecResult {
  /** The exit code as shells show it: 127 = not found, 126 = cannot be executed, 128 + N = ended by signal N. */
  exitCode: number;
  /** What was written to standard output, as UTF-8; the first `outputLimit` bytes. */
  stdout: string;
  /** What was written to standard error; as `stdout`. */
  stderr: string;
  /** More was written than is kept of one stream. */
  truncated: boolean;
}

/** The end of a log. */
export interface KeptLog {
  /** The lines as UTF-8, each with its line break. */
  text: string;
  /** A limit cut lines off that were asked for: `outputLimit`, or what the engine itself keeps. */
  truncated: boolean;
}

/** Bytes that are kept of one stream of a program, and of a log. */
export const outputLimit = 1 << 20;

/** Every call throws `not_found` for a container that is not there. */
export interface ContainerLife {
  /** Asks it to end, and kills it when the grace is over; a paused one ends too. No error when it is stopped. */
  stop(id: string, options?: StopOptions): Promise<void>;
  /** Ends it in the same way when it runs, and starts it. */
  restart(id: string, options?: StopOptions): Promise<void>;
  /** Freezes all its processes. No error when it is paused already; `conflict` when it does not run. */
  pause(id: string, signal?: AbortSignal): Promise<void>;
  /** Lets its processes go on. No error when it is not paused; `conflict` when it does not run. */
  unpause(id: string, signal?: AbortSignal): Promise<void>;
  /**
   * Renames it and returns its id from now on, which may be the name. `conflict` when the name is taken, and, without
   * `renamesRunning`, while it runs.
   */
  rename(id: string, name: string, signal?: AbortSignal): Promise<string>;
  /** Says whether it starts when the host boots. */
  setAutostart(id: string, on: boolean, signal?: AbortSignal): Promise<void>;
  /** Returns the last lines that it wrote to its output or its console, at most `outputLimit` bytes of them. */
  logs(id: string, lines: number, signal?: AbortSignal): Promise<KeptLog>;
  /** Returns facts in the engine's own words, for a person; all have `NetworkSettings.Ports` in Docker's form. */
  inspect(id: string, signal?: AbortSignal): Promise<Record<string, unknown>>;
  /** Makes an image of its files as they are, and returns the image's id. Only with `commits`. */
  commit(id: string, request: CommitRequest, signal?: AbortSignal): Promise<string>;
  /**
   * Runs a program in it to its end. When the signal aborts the program is killed, by an engine on this host. `conflict`
   * when it does not run.
   */
  exec(id: string, request: ExecRequest, signal: AbortSignal): Promise<ExecResult>;
}
