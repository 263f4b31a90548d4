import { ConfigError } from "../config/error.ts";
import { readConfig } from "../config/config.ts";
import { ensureEngines, stopEngines } from "./engines.ts";

const usage = "usage: npm run engines:start|engines:stop [-- --engines LIST --run DIR]";

async function main([command, ...flags]: readonly string[]): Promise<number> {
  const { config, text } = readConfig(flags, process.env);
  if (!config || (command !== "start" && command !== "stop")) {
    console.error(config ? usage : text);
    return config ? 2 : 0;
  }
  const log = console.error;
  if (command === "start") {
    const outcomes = await ensureEngines({ config, env: process.env, log });
    if (outcomes.every((outcome) => outcome === "ready")) log("The engines run already.");
    return outcomes.includes("absent") ? 1 : 0;
  }
  const stopped = await stopEngines({ config, log });
  const nothing = `Nothing that set-up started is running, as far as ${config.runDir} (--run) knows.`;
  log(stopped.length > 0 ? `Stopped ${stopped.join(", ")}.` : nothing);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
