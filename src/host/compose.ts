import { output } from "./run.ts";

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
    const version = await output(command);
    if (/^v?\d+\.\d+/.test(version)) return version.replace(/^v/, "");
  }
  return "";
}
