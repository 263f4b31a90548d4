import { ConfigError } from "../config-error.ts";
import { readConfig } from "../config.ts";
import { daemonFolders, stopDocker } from "./docker-daemons.ts";
import { ensureDocker } from "./docker.ts";

const usage = "usage: npm run engines:start|engines:stop [-- --run DIR]";

async function main([command, ...flags]: readonly string[]): Promise<number> {
  const { config, text } = readConfig(flags, process.env);
  if (!config || (command !== "start" && command !== "stop")) {
    console.error(config ? usage : text);
    return config ? 2 : 0;
  }
  if (command === "start") {
    const outcome = await ensureDocker({ runDir: config.runDir, env: process.env, log: console.error });
    if (outcome === "running") console.error("Docker runs already.");
    return outcome === "absent" ? 1 : 0;
  }
  const stopped = await stopDocker(daemonFolders(config.runDir));
  console.error(stopped.length > 0 ? `Stopped ${stopped.join(" and ")}.` : "Nothing that set-up started is running.");
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
