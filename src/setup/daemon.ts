import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { quote } from "shlex";
import { optionTable } from "../config/options.ts";

/** Where the daemons of set-up keep their pid files and logs. */
export interface DaemonFolders {
  pids: string;
  logs: string;
  /** What the user types to stop them. */
  stopCommand: string;
}

export interface DaemonOptions extends DaemonFolders {
  env: Record<string, string>;
}

const largeLog = 10 * 1024 * 1024;
const startPatience = 30_000;

export function daemonFolders(runDir: string): DaemonFolders {
  const stopCommand = `npm run engines:stop${runDir === optionTable["run"]?.default ? "" : ` -- --run ${quote(runDir)}`}`;
  return { pids: join(runDir, "engines"), logs: "/var/log/gantry", stopCommand };
}

/** Starts what does not run yet, and waits until it serves. Throws with the end of its log. */
export async function startOnce(
  argv: readonly [string, ...string[]],
  options: DaemonOptions,
  ready: () => Promise<boolean>,
): Promise<void> {
  const [name] = argv;
  if (daemonPid(name, options) === undefined) await startDaemon(argv, options);
  const ended = (): boolean => daemonPid(name, options) === undefined;
  await waitUntil(async () => (await ready()) || ended(), startPatience);
  if (await ready()) return;
  const file = logFile(name, options);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(-3).join("\n");
  throw new Error(`${name} does not start; the end of its log ${file}:\n${lines}`);
}

/** Starts a program that outlives this one, in a session of its own. Its log and pid file carry its name. */
export async function startDaemon(argv: readonly [string, ...string[]], options: DaemonOptions): Promise<void> {
  const [name, ...args] = argv;
  mkdirSync(options.pids, { recursive: true });
  mkdirSync(options.logs, { recursive: true });
  const log = openLog(logFile(name, options));
  try {
    const child = spawn(name, args, { detached: true, cwd: "/", env: options.env, stdio: ["ignore", log, log] });
    await once(child, "spawn");
    child.unref();
    keepPid(name, child.pid, options);
  } finally {
    closeSync(log);
  }
}

/** Makes a process that was started by other means one of ours. One that has ended already is none. */
export function keepPid(name: string, pid: number | undefined, folders: DaemonFolders): void {
  const start = startTime(pid);
  if (start === undefined) return;
  mkdirSync(folders.pids, { recursive: true });
  writeFileSync(pidFile(name, folders), `${pid} ${start}\n`);
}

/** The pid of what `startDaemon` started, if it still runs: a pid alone may be somebody else's by now. */
export function daemonPid(name: string, folders: DaemonFolders): number | undefined {
  let content: string;
  try {
    content = readFileSync(pidFile(name, folders), "utf8");
  } catch {
    return undefined;
  }
  const [pid, start] = content.trim().split(" ");
  return start !== undefined && startTime(Number(pid)) === start ? Number(pid) : undefined;
}

export interface StopOptions extends DaemonFolders {
  /** Milliseconds. */
  patience: number;
  /** Absent: TERM. */
  signal?: NodeJS.Signals;
}

/** The signal, and KILL when it takes longer. Answers false when nothing of ours runs. */
export async function stopDaemon(name: string, options: StopOptions): Promise<boolean> {
  const { patience, signal = "SIGTERM", ...folders } = options;
  const pid = daemonPid(name, folders);
  if (pid !== undefined) {
    const gone = (): boolean => daemonPid(name, folders) === undefined;
    process.kill(pid, signal);
    if (!(await waitUntil(gone, patience))) {
      process.kill(pid, "SIGKILL");
      await waitUntil(gone, patience);
    }
  }
  rmSync(pidFile(name, folders), { force: true });
  return pid !== undefined;
}

/** Polls; answers false when the time is over. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) return false;
    await sleep(25);
  }
  return true;
}

export function logFile(name: string, folders: DaemonFolders): string {
  return join(folders.logs, `${name}.log`);
}

function pidFile(name: string, folders: DaemonFolders): string {
  return join(folders.pids, `${name}.pid`);
}

function openLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > largeLog) renameSync(file, `${file}.1`);
  return openSync(file, "a", 0o640);
}

/** In clock ticks since boot, as /proc says it; `undefined` for what has ended, reaped or not. */
function startTime(pid: number | undefined): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}
