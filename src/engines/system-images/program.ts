import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";

import { AppError } from "../../errors.ts";
import { systemPath } from "../processes/child.ts";
import { killGroup } from "../processes/kill-group.ts";
import { cancelled, diskFull, isDiskFull } from "./failures.ts";

/** How a program is run. */
export interface ProgramOptions {
  /** Whose work it is, as STATION/TASK; the station's next start kills what still has it. */
  task: string;
  /** As of Node's `spawn`. */
  stdio: StdioOptions;
  /** Kills the program and all that it has started. */
  signal: AbortSignal;
  /** More variables. */
  env?: Readonly<Record<string, string>>;
}

/** A program that was started. */
export interface Program {
  /** The process. */
  child: ChildProcess;
  /** Its good end. Rejects when it failed or was stopped, after it is gone. */
  done: Promise<void>;
  /** Kills the program and all that it has started. */
  kill(): void;
  /** Tells the listener of each line that the program writes to standard error. */
  onLine(listener: (line: string) => void): void;
}

const keptLines = 40;

/** Starts a program without a shell, in a process group of its own, that ends with the signal. */
export function startProgram(argv: readonly [string, ...string[]], options: ProgramOptions): Program {
  const [name, ...args] = argv;
  const { signal, task } = options;
  const env = { PATH: systemPath, LC_ALL: "C", ...options.env, GANTRY_TASK: task };
  const child = spawn(name, args, { env, detached: true, stdio: options.stdio });
  const lines = readLines(child);
  const release = endWith(child, signal);
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  child.on("error", (cause) => {
    release();
    reject(new AppError("engine_failed", `${name} cannot be run on this host.`, { cause }));
  });
  child.on("close", (code) => {
    release();
    if (signal.aborted) return reject(cancelled());
    if (code === 0) return resolve();
    const said = lines.last();
    const cause = { argv, code, said };
    if (isDiskFull(said)) return reject(diskFull(cause));
    reject(new AppError("engine_failed", `${name} failed: ${said || `exit code ${code}`}`, { cause }));
  });
  // It is waited for after other things, which may fail first.
  done.catch(() => undefined);
  return { child, done, kill: () => killGroup(child.pid), onLine: lines.listen };
}

/** Has the signal kill the program and all that it has started; returns what ends that. */
function endWith(child: ChildProcess, signal: AbortSignal): () => void {
  const kill = (): void => killGroup(child.pid);
  if (signal.aborted) kill();
  else signal.addEventListener("abort", kill, { once: true });
  return () => signal.removeEventListener("abort", kill);
}

function readLines(child: ChildProcess) {
  const kept: string[] = [];
  const listeners: ((line: string) => void)[] = [];
  let rest = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop()?.slice(-4096) ?? "";
    for (const line of parts) {
      kept.push(line.slice(0, 1024));
      if (kept.length > keptLines) kept.shift();
      for (const listener of listeners) listener(line);
    }
  });
  return {
    listen: (listener: (line: string) => void): void => void listeners.push(listener),
    last: (): string => [...kept, rest].join("\n").trim(),
  };
}
