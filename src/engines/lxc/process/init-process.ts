import { readdir, readFile, readlink, writeFile } from "node:fs/promises";

import { runChild } from "../../../util/process/run-child.ts";
import { containerControlGroups } from "../../processes/control-groups.ts";
import type { Layout } from "../files/layout.ts";

/** First processes by container. To ask LXC takes a process of its own, so that is done once for each start. */
export interface InitProcesses {
  /**
   * Returns the first process of the container. `run`: the inode of its command socket, which is new at each start. 0 = it is
   * not up, or not yet: what LXC is still setting up is not taken for running, because its mounts and its card are not there.
   */
  get(name: string, run: string): Promise<number>;
  /** Asks LXC, and returns a process also while LXC sets the container up (`up` is false then); 0 = there is none. */
  query(name: string, run: string): Promise<{ pid: number; up: boolean }>;
  /** Forgets all containers but these. */
  retain(names: ReadonlyMap<string, unknown>): void;
}

/** Milliseconds for one question; LXC's own process of a container may hang. */
const patience = 2_000;
/** Milliseconds before one that hangs is asked again. */
const pause = 10_000;

/** Returns the first processes of the containers below one LXC path. */
export function createInitProcesses(layout: Layout): InitProcesses {
  const known = new Map<string, { run: string; pid: Promise<number> }>();

  function get(name: string, run: string): Promise<number> {
    const before = known.get(name);
    if (before?.run === run) return before.pid;
    const begun = performance.now();
    const pid = discover(name, run);
    const entry = { run, pid };
    known.set(name, entry);
    const forget = (): void => {
      if (known.get(name) === entry) known.delete(name);
    };
    void pid.then((found) => {
      if (found > 0) return;
      if (performance.now() - begun < patience) forget();
      else setTimeout(forget, pause).unref();
    });
    return pid;
  }

  async function discover(name: string, run: string): Promise<number> {
    const { pid, up } = await query(name, run);
    if (!up) return 0;
    // So that it is known to have run when it does not any more.
    await writeFile(layout.started(name), "", { flag: "a" }).catch(() => undefined);
    return pid;
  }

  async function query(name: string, run: string): Promise<{ pid: number; up: boolean }> {
    const argv = ["lxc-info", "-P", layout.path, "-n", name, "-s", "-p"] as const;
    // It says that a container is not there by failing.
    const text = await runChild(argv, { task: "lxc", signal: AbortSignal.timeout(patience) }).catch(() => "");
    const state = /^State:\s*(\w+)/m.exec(text)?.[1] ?? "STOPPED";
    const said = Number(/^PID:\s*(\d+)/m.exec(text)?.[1] ?? 0);
    const pid = (await isChildOfListener(said, run)) ? said : 0;
    return { pid, up: pid > 0 && !["STOPPED", "STARTING", "ABORTING", "STOPPING"].includes(state) };
  }

  function retain(names: ReadonlyMap<string, unknown>): void {
    for (const name of known.keys()) if (!names.has(name)) known.delete(name);
  }

  return { get, query, retain };
}

/** Kills a process and thaws its container: a frozen process does not die before. */
export async function killProcess(pid: number): Promise<void> {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
  await thaw(pid);
}

/** The first of the kernel's real-time signals that the C library leaves to programs; see signal(7). */
const realTime = 34;

/**
 * Sends a container's first process the signal by which it is asked to end. `word`: as LXC writes it, SIGPWR or
 * SIGRTMIN+3. A process that has ended, or a word that Node does not know, is no error.
 */
export function requestShutdown(pid: number, word: string): void {
  const number = /^(?:SIG)?RTMIN\+(\d+)$/.exec(word)?.[1];
  try {
    process.kill(pid, number === undefined ? word : realTime + Number(number));
  } catch {
    // It ended meanwhile, or the word is none of Node's: it is killed when the grace is over.
  }
}

/**
 * Returns whether a process is a child of the one that listens on the socket with this inode. Any process of the host
 * may listen on a socket of such a name (also one of a container in the host's network), and say of any other that it
 * is the container's. LXC's own is the parent of the container's first process.
 */
export async function isChildOfListener(pid: number, run: string): Promise<boolean> {
  const folder = `/proc/${await parentOf(pid)}/fd`;
  const files = await readdir(folder).catch(() => []);
  const targets = await Promise.all(files.map((file) => readlink(`${folder}/${file}`).catch(() => "")));
  return targets.includes(`socket:[${run}]`);
}

/** Returns a process's parent; 0 = it is gone. */
async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^PPid:\t(\d+)$/m.exec(status)?.[1] ?? 0);
}

/** Returns LXC's own process, whose child the first process is; undefined when it is gone. */
export async function monitorOf(pid: number): Promise<number | undefined> {
  const parent = await parentOf(pid);
  const title = await readFile(`/proc/${parent}/cmdline`, "utf8").catch(() => "");
  return title.startsWith("[lxc monitor]") ? parent : undefined;
}

async function thaw(pid: number): Promise<void> {
  for (const { file, thawed } of await freezers(pid)) await write(file, thawed);
}

/** Returns whether all processes of a container stand still. `pid`: of its first process. */
export async function isFrozen(pid: number): Promise<boolean> {
  for (const { file, thawed } of await freezers(pid)) {
    const state = (await readFile(file, "utf8").catch(() => thawed)).trim();
    if (state !== thawed) return true;
  }
  return false;
}

/**
 * Returns the files that say whether a container's processes stand still, and what they say when not; of both versions
 * of control groups.
 */
async function freezers(pid: number): Promise<{ file: string; thawed: string }[]> {
  return (await containerControlGroups(pid)).flatMap(({ controllers, group }) => {
    if (controllers.includes("freezer"))
      return [{ file: `/sys/fs/cgroup/freezer${group}/freezer.state`, thawed: "THAWED" }];
    return controllers.length === 0 ? [{ file: `/sys/fs/cgroup${group}/cgroup.freeze`, thawed: "0" }] : [];
  });
}

/** Writes to a file that may be gone, or of the other version. */
async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: "r+" }).catch(() => undefined);
}
