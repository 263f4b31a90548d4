import { commandOutput } from "./command.ts";

const cachedFor = 60_000;
/** Compose is a plugin of the `docker` command; older hosts have it as a program of its own. */
const commands = [
  ["docker", "compose", "version", "--short"],
  ["docker-compose", "version", "--short"],
] as const;

/**
 * Returns a function that resolves to the version of Docker Compose on this host, such as `2.24.5`, or to "" if Compose is
 * not installed. The version is looked up at most once a minute.
 */
export function createComposeVersion(): () => Promise<string> {
  let known: { version: Promise<string>; until: number } | undefined;
  return function composeVersion() {
    if (!known || performance.now() > known.until)
      known = { version: findVersion(), until: performance.now() + cachedFor };
    return known.version;
  };
}

async function findVersion(): Promise<string> {
  for (const command of commands) {
    const version = await commandOutput(command);
    if (/^v?\d+\.\d+/.test(version)) return version.replace(/^v/, "");
  }
  return "";
}
