import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import type { FileHandle } from "node:fs/promises";

import { AppError } from "../../errors.ts";
import { keepEnd } from "./kept-output.ts";
import { killGroup } from "./kill-group.ts";

/** How a program is run. */
export interface ChildOptions {
  /** Whose work it is; the station's next start kills what still has it. */
  task: string;
  /** Kills the program and all that it has started; `runChild` throws `cancelled` then. */
  signal?: AbortSignal | undefined;
  /** Given to its standard input. */
  input?: string;
  /** The open file that is its standard input instead. */
  inputFile?: number;
  /** Where it begins; else where the station does. */
  cwd?: string;
  /** An open folder that the program gets as its descriptor 3. */
  folder?: FileHandle;
  /** Of more output only so many bytes of the end are kept: 65536 unless said. */
  outputLimit?: number;
}

const usualLimit = 64 * 1024;
/** What a program of the system sees; nothing of the station's own environment. */
export const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Runs a program without a shell, in a process group of its own that the signal kills, and returns what it printed.
 * Throws `engine_failed` with what it wrote to standard error, and `cancelled`.
 */
export function runChild(argv: readonly [string, ...string[]], options: ChildOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const [program, ...args] = argv;
  const limit = options.outputLimit ?? usualLimit;
  if (options.signal?.aborted) return Promise.reject(stopped(program));
  const env = {
    PATH: systemPath,
    LC_ALL: "C",
    GANTRY_TASK: options.task,
  };
  const inherited = options.folder ? [options.folder.fd] : [];
  const { cwd, inputFile } = options;
  const stdio = [inputFile ?? "pipe", "pipe", "pipe", ...inherited] as const;
  const child = spawn(program, args, { env, cwd, detached: true, stdio: [...stdio] }) as ChildProcessWithoutNullStreams;
  // A program that reads nothing of it may have ended already.
  if (inputFile === undefined) child.stdin.on("error", () => undefined).end(options.input ?? "");
  const output = { out: keepEnd(limit), err: keepEnd(limit) };
  child.stdout.on("data", output.out.add);
  child.stderr.on("data", output.err.add);
  const kill = (): void => killGroup(child.pid);
  options.signal?.addEventListener("abort", kill, { once: true });
  child.on("error", (cause) =>
    reject(new AppError("engine_failed", `${program} cannot be run on this host.`, { cause })),
  );
  child.on("close", (code, killedBy) => {
    options.signal?.removeEventListener("abort", kill);
    if (options.signal?.aborted) reject(stopped(program));
    else if (code === 0) resolve(output.out.text());
    else {
      const reason = killedBy ? `ended by ${killedBy}` : output.err.text().trim() || `exit code ${code}`;
      reject(new AppError("engine_failed", `${program} failed: ${reason}`, { cause: { argv, code, killedBy } }));
    }
  });
  return promise;
}

/** Returns whether a program was ended by a signal of somebody else, which says nothing of what it was to do. */
export function wasKilled(error: unknown): boolean {
  return error instanceof AppError && Boolean((error.cause as { killedBy?: string | null } | undefined)?.killedBy);
}

function stopped(program: string): AppError {
  return new AppError("cancelled", `${program} was stopped on request.`);
}
