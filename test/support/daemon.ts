import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { testEngines } from "./engines.ts";

/** Milliseconds. Only what hangs takes so long, also on a busy machine. */
const patience = 120_000;

export interface DaemonOptions {
  env?: Record<string, string>;
  /** Answers true once the daemon can be used. */
  ready: () => Promise<boolean> | boolean;
}

/** Starts `<name>` detached, with `<name>.log` and `<name>.pid` in the run's folder, and waits until it is ready. */
export async function startDaemon(name: string, command: readonly string[], options: DaemonOptions): Promise<void> {
  const { folder } = testEngines();
  const [program = "", ...args] = command;
  const log = openSync(join(folder, `${name}.log`), "a");
  const env = { ...process.env, ...options.env };
  const child = spawn(program, args, { detached: true, stdio: ["ignore", log, log], env });
  closeSync(log);
  let ended: string | undefined;
  child.once("error", (error) => (ended = error.message));
  child.once("exit", (code, signal) => (ended ??= `it ended with ${signal ?? code}`));
  if (child.pid) writeFileSync(pidFile(name), `${child.pid}\n`);
  const ready = await until(async () => ended !== undefined || (await options.ready()), patience);
  child.unref();
  if (!ready || ended)
    throw new Error(`${name} did not start: ${ended ?? "it did not become ready"}\n${lastLines(name)}`);
}

/** Sends the signal and waits until the process is gone. */
export async function endDaemon(name: string, signal: NodeJS.Signals): Promise<void> {
  const pid = daemonPid(name);
  if (pid === undefined) return;
  process.kill(pid, signal);
  if (!(await until(() => !isAlive(pid), patience))) throw new Error(`${name} survives ${signal}`);
  rmSync(pidFile(name), { force: true });
}

export function daemonPid(name: string): number | undefined {
  const file = pidFile(name);
  const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  return pid > 0 && isAlive(pid) ? pid : undefined;
}

/** Polls, after a pause each time, until the condition holds; false when the time is over. All in milliseconds. */
export async function until(condition: () => Promise<boolean> | boolean, ms: number, pause = 20): Promise<boolean> {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) return false;
    await sleep(pause);
  }
  return true;
}

/** A zombie is not alive: its parent just has not looked yet. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.charAt(stat.lastIndexOf(")") + 2) !== "Z";
  } catch {
    return false;
  }
}

function pidFile(name: string): string {
  return join(testEngines().folder, `${name}.pid`);
}

/** Returns the end of a daemon's log. */
export function lastLines(name: string): string {
  const text = readFileSync(join(testEngines().folder, `${name}.log`), "utf8");
  return text.trimEnd().split("\n").slice(-10).join("\n");
}
