import { runChild } from "../util/process/run-child.ts";
import { AppError } from "../errors.ts";

/**
 * Runs a program of the host to its end, with `input` on its standard input. Returns what it printed. Throws
 * `engine_failed` if it fails, prints more than 64 MiB, or runs longer than 20 s.
 */
export type RunProgram = (argv: readonly [string, ...string[]], input?: string) => Promise<string>;

/** Bytes. The list of a host's connections may be long. */
const outputLimit = 64 * 1024 * 1024;
const timeLimit = 20_000;

/** Returns a function that runs programs. They bear the mark of this station, so that its next start can end them. */
export function createProgramRunner(station: string): RunProgram {
  return async (argv, input = "") => {
    const timeout = AbortSignal.timeout(timeLimit);
    try {
      return await runChild(argv, { task: `${station}/ports`, input, outputLimit, signal: timeout });
    } catch (cause) {
      if (!timeout.aborted) throw cause;
      throw new AppError("engine_failed", `${argv[0]} did not end within ${timeLimit / 1000} s.`, { cause });
    }
  };
}
