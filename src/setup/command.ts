import { keepEnd } from "../util/process/kept-output.ts";
import { runProcess } from "../util/process/run-process.ts";
import type { Argv } from "../util/process/start-process.ts";
import { systemPath } from "../util/process/system-path.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const passedVariables = ["HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/** Returns the environment for programs of the host: it has proxies and certificates, but no secret of the station. */
export function systemEnvironment(env: Environment): Record<string, string> {
  const result: Record<string, string> = { PATH: systemPath, LC_ALL: "C" };
  for (const name of passedVariables.flatMap((upper) => [upper, upper.toLowerCase()])) {
    if (env[name]) result[name] = env[name];
  }
  return result;
}

const keptOutput = 16 * 1024;
const printedLines = 12;

/**
 * Runs a program to its end without a shell. Returns the last 16 KiB of its output. Throws if it fails; the message has the
 * last lines of its output. Ctrl-C at the terminal reaches the program too.
 */
export async function runCommand(argv: Argv, env: Record<string, string>): Promise<string> {
  const output = keepEnd(keptOutput);
  const end = await runProcess(argv, { env, stdout: output, stderr: output, foreground: true });
  if (end.fault) throw new Error(`${argv[0]} cannot be run: ${end.fault.message}`, { cause: end.fault });
  if (end.code === 0) return output.text();
  const lines = output.text().trimEnd().split("\n").slice(-printedLines).join("\n");
  throw new Error(`${argv.slice(0, 2).join(" ")} ended with ${end.killedBy ?? `exit code ${end.code}`}:\n${lines}`);
}
