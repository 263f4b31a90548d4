import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createApp } from "./app.ts";
import { ConfigError } from "./config/error.ts";
import { readConfig, type Config } from "./config/config.ts";
import { AppError } from "./errors.ts";
import { log, stationLog } from "./station-log.ts";
import { returnIdleMemory } from "./util/idle-memory.ts";
import { installation } from "./util/installation.ts";

/** Exit codes: 0 ended on request, 2 wrong use (one sentence says what to do), 74 the disk failed, 70 a bug. */
const usage = 2;
const ioFailure = 74;
const bug = 70;
/** SIGTERM ends the process within 10 s. */
const grace = 7_000;
const lastResort = 9_500;

// Files of the station are for its user only, whatever the shell's umask.
process.umask(0o077);
// Whoever read the output may have gone, and a log's disk may be full: tasks go on.
for (const output of [process.stdout, process.stderr]) output.on("error", () => undefined);
process.on("uncaughtException", (error: Error) => end(bug, "The station ended on a fault of its own.", error));

try {
  const read = readConfig(process.argv.slice(2), process.env);
  if (read.config) await run(read.config);
  else process.stdout.write(`${read.text}\n`);
} catch (error) {
  if (error instanceof ConfigError || error instanceof AppError) end(usage, error.message);
  end(bug, "The station could not start.", error);
}

async function run(config: Config): Promise<void> {
  // Until there is something to end in order, a signal just ends the process.
  const leave = () => process.exit(0);
  process.on("SIGTERM", leave).on("SIGINT", leave);
  stationLog.setLevel(config.logLevel);
  if (config.setup) {
    const { ensureEngines } = await import("./setup/engines.ts");
    await ensureEngines({ config, env: process.env, log: tell });
  }
  const app = await createApp(config, version(), {
    onFatal: (reason) => end(ioFailure, `Gantry cannot go on: ${reason}.`),
    onOpenDoor: (address) =>
      tell(`WARNING: ${address} asks nobody who he is (--openvz-auth none): whoever reaches it is root of this host.`),
    onFirstPassword: (password) => process.stdout.write(`The password of admin is ${password} (shown only now)\n`),
  });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(0), lastResort).unref();
    app.stop(grace).then(
      () => process.exit(0),
      (error: unknown) => end(bug, "The station could not end in order.", error),
    );
  };
  process.off("SIGTERM", leave).off("SIGINT", leave);
  process.on("SIGTERM", stop).on("SIGINT", stop);
  const { host, port } = await app.start();
  process.stdout.write(
    `Gantry is ready at ${config.tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}\n`,
  );
  returnIdleMemory();
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

function end(code: number, sentence: string, error?: unknown): never {
  if (error === undefined) process.stderr.write(`${sentence}\n`);
  else log.error(sentence, { error });
  process.exit(code);
}

function version(): string {
  const text = readFileSync(join(installation, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
