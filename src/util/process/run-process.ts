import type { KeptOutput } from "./kept-output.ts";
import { startProcess, type Argv, type ProcessEnd, type StartOptions } from "./start-process.ts";

/** How a program is run to its end. */
export interface RunOptions extends Omit<StartOptions, "stdio"> {
  /** Text for its standard input, or an open file. Absent: /dev/null. */
  input?: string | number | undefined;
  /** Takes what it writes to standard output. Absent: that is dropped. */
  stdout?: KeptOutput | undefined;
  /** Takes what it writes to standard error; may be the same object. Absent: that is dropped. */
  stderr?: KeptOutput | undefined;
  /** An open file or folder that it gets as descriptor 3. */
  inherited?: number | undefined;
}

/**
 * Runs a program to its end, as `startProcess` starts it. Never rejects: a program that is missing, and arguments that no
 * process can have, are the `fault` of its end. It is not started if the signal is aborted already.
 */
export async function runProcess(argv: Argv, options: RunOptions): Promise<ProcessEnd> {
  if (options.signal?.aborted) return { code: null, killedBy: null, stopped: "aborted" };
  const { input, stdout, stderr, inherited } = options;
  const stdio = [
    typeof input === "string" ? "pipe" : (input ?? "ignore"),
    stdout ? "pipe" : "ignore",
    stderr ? "pipe" : "ignore",
    ...(inherited === undefined ? [] : [inherited]),
  ] as const;
  try {
    const { child, ended } = startProcess(argv, { ...options, stdio: [...stdio] });
    child.stdout?.on("data", (data: Buffer) => stdout?.add(data));
    child.stderr?.on("data", (data: Buffer) => stderr?.add(data));
    // A program that reads nothing of it may have ended already.
    child.stdin?.on("error", () => undefined).end(input);
    return await ended;
  } catch (fault) {
    return { code: null, killedBy: null, fault: fault as Error };
  }
}
