import { keepStart } from "../util/process/kept-output.ts";
import { runProcess } from "../util/process/run-process.ts";
import type { Argv } from "../util/process/start-process.ts";

const outputLimit = 16 * 1024 * 1024;
const timeLimit = 3_000;

/**
 * Runs a program of this host without a shell and returns what it prints on standard output, trimmed. Returns "" if the
 * program is missing, fails, runs longer than 3 s, or prints more than 16 MiB.
 */
export async function commandOutput(argv: Argv): Promise<string> {
  const stdout = keepStart(outputLimit);
  const { code } = await runProcess(argv, { stdout, env: { HOME: "/nonexistent" }, limits: { time: timeLimit } });
  return code === 0 && !stdout.truncated() ? stdout.text().trim() : "";
}
