import { runChild } from "../engines/child.ts";
import { AppError } from "../errors.ts";

/** Runs a program of the system to its end, with `input`; answers all it printed, or throws `engine_failed`. */
export type RunProgram = (argv: readonly [string, ...string[]], input?: string) => Promise<string>;

/** A host with thousands of ports, or of connections, has much to tell. */
const outputLimit = 64 * 1024 * 1024;
const patience = 20_000;

export function programsOf(station: string): RunProgram {
  return async (argv, input = "") => {
    const late = AbortSignal.timeout(patience);
    try {
      return await runChild(argv, { task: `${station}/ports`, input, outputLimit, signal: late });
    } catch (cause) {
      if (!late.aborted) throw cause;
      throw new AppError("engine_failed", `${argv[0]} did not end within ${patience / 1000} s.`, { cause });
    }
  };
}
