import type { FileHandle } from "node:fs/promises";

import { AppError } from "../../errors.ts";
import { keepEnd } from "./kept-output.ts";
import { runProcess } from "./run-process.ts";
import type { Argv } from "./start-process.ts";

/** How a program is run. */
export interface ChildOptions {
  /** Whose work it is; the station's next start kills what still has it. */
  task: string;
  /** Kills it and all that it has started; the call then throws `cancelled`. */
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

/**
 * Runs a program as `runProcess` does and returns what it printed. Throws `engine_failed` with the end of its standard error
 * if it fails or cannot be run, and `cancelled` if the signal stopped it.
 */
export async function runChild(argv: Argv, options: ChildOptions): Promise<string> {
  const [program] = argv;
  const { task, signal, cwd, folder, outputLimit = usualLimit } = options;
  const [stdout, stderr] = [keepEnd(outputLimit), keepEnd(outputLimit)];
  const input = options.inputFile ?? options.input ?? "";
  const end = await runProcess(argv, { task, signal, cwd, input, stdout, stderr, inherited: folder?.fd });
  if (end.fault) throw new AppError("engine_failed", `${program} cannot be run on this host.`, { cause: end.fault });
  if (end.stopped) throw new AppError("cancelled", `${program} was stopped on request.`);
  const { code, killedBy } = end;
  if (code === 0) return stdout.text();
  const reason = killedBy ? `ended by ${killedBy}` : stderr.text().trim() || `exit code ${code}`;
  throw new AppError("engine_failed", `${program} failed: ${reason}`, { cause: { argv, code, killedBy } });
}

/** Returns whether a program was ended by a signal of somebody else's, which says nothing of what it was to do. */
export function wasKilled(error: unknown): boolean {
  return error instanceof AppError && Boolean((error.cause as { killedBy?: string | null } | undefined)?.killedBy);
}
