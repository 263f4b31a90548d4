import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Runs a program of the test machine; answers what it printed. */
export async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(program, args, { timeout: 30_000 });
  return stdout.trim();
}

/** The same in the namespaces of a container's process. */
export function runInside(pid: number, ...argv: string[]): Promise<string> {
  return run("nsenter", "-t", String(pid), "-a", "--", ...argv);
}
