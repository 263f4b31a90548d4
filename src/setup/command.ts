import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const passedVariables = ["HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/** Returns the environment for programs of the host: it has proxies and certificates, but no secret of the station. */
export function systemEnvironment(env: Environment): Record<string, string> {
  const result: Record<string, string> = { PATH: folders.join(":"), LC_ALL: "C" };
  for (const name of passedVariables.flatMap((upper) => [upper, upper.toLowerCase()])) {
    if (env[name]) result[name] = env[name];
  }
  return result;
}

/** Returns the absolute path of a program in the usual folders, or undefined if it is not installed. */
export function findCommand(name: string): string | undefined {
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const keptOutput = 16 * 1024;
const printedLines = 12;

/**
 * Runs a program to its end without a shell. Returns the last 16 KiB of its output. Throws if it fails; the message has the
 * last lines of its output.
 */
export function runCommand(argv: readonly [string, ...string[]], env: Record<string, string>): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const [program, ...args] = argv;
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-keptOutput);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.on("error", (cause) => reject(new Error(`${program} cannot be run: ${cause.message}`, { cause })));
  child.on("close", (code, signal) => {
    if (code === 0) return resolve(output);
    const lines = output.trimEnd().split("\n").slice(-printedLines).join("\n");
    reject(new Error(`${argv.slice(0, 2).join(" ")} ended with ${signal ?? `exit code ${code}`}:\n${lines}`));
  });
  return promise;
}
