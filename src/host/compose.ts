import { execFile } from "node:child_process";

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const kept = 60_000;
/** Docker's command with its plugin, then the program of its own. */
const commands = [
  ["docker", "compose", "version", "--short"],
  ["docker-compose", "version", "--short"],
] as const;

/** The version of Docker Compose on this host, "" without one; looked up once in a minute. */
export function createComposeVersion(): () => Promise<string> {
  let known: { version: Promise<string>; until: number } | undefined;
  return function composeVersion() {
    if (!known || performance.now() > known.until) known = { version: look(), until: performance.now() + kept };
    return known.version;
  };
}

async function look(): Promise<string> {
  for (const command of commands) {
    const version = await run(command);
    if (/^v?\d+\.\d+/.test(version)) return version.replace(/^v/, "");
  }
  return "";
}

function run([program, ...args]: readonly [string, ...string[]]): Promise<string> {
  return new Promise((resolve) => {
    const options = { env: { PATH: path, HOME: "/nonexistent" }, timeout: 3_000 };
    execFile(program, args, options, (error, output) => resolve(error ? "" : output.trim()));
  });
}
