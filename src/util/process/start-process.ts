import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";

import { killGroup } from "./kill-group.ts";
import { limitingPrefix, type ProcessLimits } from "./limits.ts";
import { systemPath } from "./system-path.ts";

/** A program and its arguments. No shell reads them. */
export type Argv = readonly [program: string, ...args: string[]];

/** How a program is started. */
export interface StartOptions {
  /**
   * Whose work it is, as STATION/TASK. It becomes the variable GANTRY_TASK, by which the station's next start finds the
   * process and kills it. Absent: the process may outlive the station.
   */
  task?: string | undefined;
  /** Kills the process and all that it has started. */
  signal?: AbortSignal | undefined;
  /** Further variables. Nothing of the station's own environment is passed on; PATH cannot be changed. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Working folder. Absent: the station's. */
  cwd?: string | undefined;
  /** As `stdio` of Node's `spawn`. */
  stdio: StdioOptions;
  /** Absent: none. */
  limits?: ProcessLimits | undefined;
  /**
   * True: the process stays in the station's process group, so that Ctrl-C at a terminal reaches it. Only the process itself
   * is then killed, not what it has started.
   */
  foreground?: boolean;
}

/** How a process ended. */
export interface ProcessEnd {
  /** Exit code; null if a signal ended it or it did not start. */
  code: number | null;
  /** The signal that ended it; null if none did. */
  killedBy: NodeJS.Signals | null;
  /** Why it could not be started: the error of Node's `spawn`. */
  fault?: Error;
  /** Who had it killed: the caller's signal (also if that came just after the end), or the limit of time. */
  stopped?: "aborted" | "timeout";
}

/** A process that was started. */
export interface StartedProcess {
  /** Node's object. Its streams are undefined if the host has no file descriptors left. */
  child: ChildProcess;
  /** Resolves when it has ended and its output is closed. Never rejects. */
  ended: Promise<ProcessEnd>;
  /** Kills it and all that it has started. */
  kill(): void;
}

/**
 * Starts a program without a shell, with a fixed PATH, in a process group of its own. Throws what Node's `spawn` throws for
 * arguments that no process can have; a program that is missing is the `fault` of its end.
 */
export function startProcess(argv: Argv, options: StartOptions): StartedProcess {
  const { signal, limits, foreground = false } = options;
  const [program, ...args] = [...limitingPrefix(argv[0], limits), ...argv];
  const child = spawn(program as string, args, {
    env: environment(options),
    cwd: options.cwd,
    detached: !foreground,
    stdio: options.stdio,
  });
  const { promise: ended, resolve } = Promise.withResolvers<ProcessEnd>();
  // Before anything else: an error that nobody listens to would end the station.
  child.on("error", (fault) => end({ code: null, killedBy: null, fault }));
  child.on("close", (code, killedBy) => end({ code, killedBy }));

  let timedOut = false;
  const kill = (): void => void (foreground ? child.kill("SIGKILL") : killGroup(child.pid));
  const timer = limits?.time === undefined ? undefined : setTimeout(timeOut, limits.time);
  if (signal?.aborted) kill();
  else signal?.addEventListener("abort", kill, { once: true });

  function timeOut(): void {
    timedOut = true;
    kill();
  }

  function end(result: ProcessEnd): void {
    clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
    const stopped = signal?.aborted ? "aborted" : timedOut ? "timeout" : undefined;
    resolve({ ...result, ...(stopped && { stopped }) });
  }

  return { child, ended, kill };
}

function environment({ env, task }: StartOptions): Record<string, string> {
  return { LC_ALL: "C", ...env, PATH: systemPath, ...(task !== undefined && { GANTRY_TASK: task }) };
}
