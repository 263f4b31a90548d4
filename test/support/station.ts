import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineType } from "../../src/engines/engine.ts";
import { createClient, type Client } from "./client.ts";
import { daemonPid, until } from "./daemon.ts";
import { testEngines } from "./engines.ts";
import { freePort } from "./free-port.ts";

export const adminPassword = "correct horse";

export interface StationOptions {
  /** Further flags. */
  flags?: readonly string[];
  /** Docker alone without it. */
  engines?: readonly EngineType[];
  /** Docker's address; the tests' own Docker without it. */
  docker?: string;
  dataDir?: string;
  /** It serves HTTPS: the client does not log in. */
  https?: boolean;
  env?: Readonly<Record<string, string>>;
  /** A program that starts it, with its arguments. */
  through?: readonly string[];
  /** The command of another version of it; this one's without it. */
  command?: readonly string[];
}

export interface TestStation {
  readonly url: string;
  readonly folder: string;
  readonly dataDir: string;
  readonly client: Client;
  pid(): number;
  /** All it wrote to standard error so far. */
  errors(): string;
  /** Starts it again, with the same flags and folders, and waits until it is ready. */
  start(): Promise<void>;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Stops it and deletes its folders. */
  close(): Promise<void>;
}

/** Milliseconds. Only what hangs takes so long; then the test says what it misses. */
const patience = 20_000;

const root = join(import.meta.dirname, "../..");

/** A station of its own: own data, own port, real processes. */
export async function startStation(options: StationOptions = {}): Promise<TestStation> {
  const folder = mkdtempSync(join(tmpdir(), "station-"));
  const dataDir = options.dataDir ?? join(folder, "data");
  const port = await freePort();
  const url = `${options.https ? "https" : "http"}://127.0.0.1:${port}`;
  const flags = ["--no-setup", "--listen", `127.0.0.1:${port}`, "--data", dataDir, "--run", join(folder, "run")];
  flags.push("--engines", (options.engines ?? ["docker"]).join(","));
  flags.push("--docker", options.docker ?? testEngines().docker, ...(options.flags ?? []));
  const client = createClient(url, adminPassword);
  let child: ChildProcess | undefined;
  let errors = "";

  async function start(): Promise<void> {
    const env = { ...process.env, GANTRY_ADMIN_PASSWORD: adminPassword, ...options.env };
    const command = options.command ?? ["sh", join(root, "scripts/station.sh")];
    const [program = "", ...args] = [...(options.through ?? []), ...command, ...flags];
    const started = spawn(program, args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env,
    });
    child = started;
    started.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    await ready(started, () => errors);
    if (!options.https && !options.docker && daemonPid("dockerd") !== undefined) await until(sawDocker, patience);
  }

  /** Docker may not answer in time when the station asks it first, because the machine is busy. */
  async function sawDocker(): Promise<boolean> {
    const health = await fetch(`${url}/healthz`).catch(() => undefined);
    const { engines = [] } = ((await health?.json()) ?? {}) as { engines?: { type: string; available: boolean }[] };
    return engines.every(({ type, available }) => type !== "docker" || available);
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    const ended = child;
    child = undefined;
    if (!ended || ended.exitCode !== null || ended.signalCode !== null) return ended?.exitCode ?? null;
    const exit = once(ended, "exit");
    ended.kill(signal);
    const [code] = (await exit) as [number | null];
    return code;
  }

  await start();
  if (!options.https) await client.login();
  return {
    url,
    folder,
    dataDir,
    client,
    start,
    pid: () => child?.pid ?? 0,
    errors: () => errors,
    stop: () => end("SIGTERM"),
    kill: async () => void (await end("SIGKILL")),
    async close() {
      await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ready(child: ChildProcess, errors: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("Gantry is ready at ")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the station ended with ${code}: ${errors()}`)));
  });
}
