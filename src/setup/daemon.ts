import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { quote } from "shlex";
import { optionTable } from "../config/options.ts";
import { startProcess, type Argv } from "../util/process/start-process.ts";

/** Folders of the daemons that set-up starts. */
export interface DaemonFolders {
  /** Absolute path of the folder of their pid files. */
  pids: string;
  /** Absolute path of the folder of their logs. */
  logs: string;
  /** The command by which a user stops them, for messages. */
  stopCommand: string;
}

export interface DaemonOptions extends DaemonFolders {
  /** Environment of the daemon. */
  env: Record<string, string>;
}

const maxLogSize = 10 * 1024 * 1024;
const startTimeout = 30_000;

/** Returns the folders of the daemons of a station whose run folder is `runDir`. */
export function daemonFolders(runDir: string): DaemonFolders {
  const stopCommand = `npm run engines:stop${runDir === optionTable["run"]?.default ? "" : ` -- --run ${quote(runDir)}`}`;
  return { pids: join(runDir, "engines"), logs: "/var/log/gantry", stopCommand };
}

/**
 * Starts a daemon unless it runs already, and waits at most 30 s until `ready` returns true. Throws if it does not become
 * ready; the message has the end of its log.
 */
export async function ensureDaemon(argv: Argv, options: DaemonOptions, ready: () => Promise<boolean>): Promise<void> {
  const [name] = argv;
  if (daemonPid(name, options) === undefined) await startDaemon(argv, options);
  const ended = (): boolean => daemonPid(name, options) === undefined;
  await waitUntil(async () => (await ready()) || ended(), startTimeout);
  if (await ready()) return;
  const file = logFile(name, options);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(-3).join("\n");
  throw new Error(`${name} does not start; the end of its log ${file}:\n${lines}`);
}

/** Starts a program that outlives this process, in a session of its own. Its log and its pid file have its name. */
export async function startDaemon(argv: Argv, options: DaemonOptions): Promise<void> {
  const [name] = argv;
  mkdirSync(options.pids, { recursive: true });
  mkdirSync(options.logs, { recursive: true });
  const log = openLog(logFile(name, options));
  try {
    const { child } = startProcess(argv, { cwd: "/", env: options.env, stdio: ["ignore", log, log] });
    await once(child, "spawn");
    child.unref();
    writePidFile(name, child.pid, options);
  } finally {
    closeSync(log);
  }
}

/** Records a process, so that `daemonPid` finds it. Does nothing if it has ended already. */
export function writePidFile(name: string, pid: number | undefined, folders: DaemonFolders): void {
  const start = startTime(pid);
  if (start === undefined) return;
  mkdirSync(folders.pids, { recursive: true });
  writeFileSync(pidFile(name, folders), `${pid} ${start}\n`);
}

/** Returns the pid of a recorded daemon if it still runs. The start time is compared too, because pids are used again. */
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
  /** Milliseconds until the daemon is killed. */
  timeout: number;
  /** The signal that asks the daemon to end. Absent: SIGTERM. */
  signal?: NodeJS.Signals;
}

/** Stops a recorded daemon by its signal, and by SIGKILL after the timeout. Returns false if it does not run. */
export async function stopDaemon(name: string, options: StopOptions): Promise<boolean> {
  const { timeout, signal = "SIGTERM", ...folders } = options;
  const pid = daemonPid(name, folders);
  if (pid !== undefined) {
    const gone = (): boolean => daemonPid(name, folders) === undefined;
    process.kill(pid, signal);
    if (!(await waitUntil(gone, timeout))) {
      process.kill(pid, "SIGKILL");
      await waitUntil(gone, timeout);
    }
  }
  rmSync(pidFile(name, folders), { force: true });
  return pid !== undefined;
}

/** Polls every 25 ms until the condition is true. Returns false if that takes longer than `ms` milliseconds. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) return false;
    await sleep(25);
  }
  return true;
}

/** Returns the path of a daemon's log. */
export function logFile(name: string, folders: DaemonFolders): string {
  return join(folders.logs, `${name}.log`);
}

function pidFile(name: string, folders: DaemonFolders): string {
  return join(folders.pids, `${name}.pid`);
}

function openLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > maxLogSize) renameSync(file, `${file}.1`);
  return openSync(file, "a", 0o640);
}

/**
 * Returns when a process started, in clock ticks since the boot (the 22nd field of `/proc/PID/stat`), or undefined if it
 * has ended, even if its parent has not reaped it yet.
 */
function startTime(pid: number | undefined): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}
