import type { ChildProcess, StdioOptions } from "node:child_process";

import { AppError } from "../../errors.ts";
import { startProcess, type Argv, type ProcessEnd } from "../../util/process/start-process.ts";
import { cancelled, diskFull, isDiskFull } from "./failures.ts";

/** How a program is run. */
export interface ProgramOptions {
  /** The task as STATION/TASK, in the program's environment; the station's next start kills what still has it. */
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
export function startProgram(argv: Argv, options: ProgramOptions): Program {
  const { child, ended, kill } = startProcess(argv, options);
  const lines = readLines(child);
  const done = ended.then((end) => assertSucceeded(argv, end, lines.last()));
  // It is waited for after other things, which may fail first.
  done.catch(() => undefined);
  return { child, done, kill, onLine: lines.listen };
}

/** `said`: the last lines that the program wrote to standard error. */
function assertSucceeded(argv: Argv, { code, fault, stopped }: ProcessEnd, said: string): void {
  const [name] = argv;
  if (fault) throw new AppError("engine_failed", `${name} cannot be run on this host.`, { cause: fault });
  if (stopped) throw cancelled();
  if (code === 0) return;
  const cause = { argv, code, said };
  if (isDiskFull(said)) throw diskFull(cause);
  throw new AppError("engine_failed", `${name} failed: ${said || `exit code ${code}`}`, { cause });
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
