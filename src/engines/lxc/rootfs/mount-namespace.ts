import { once } from "node:events";

import { AppError } from "../../../errors.ts";
import { runChild } from "../../../util/process/run-child.ts";
import { startProcess, type Argv, type StartedProcess } from "../../../util/process/start-process.ts";

/**
 * Mounts that nobody else on this host sees. They are in a mount namespace of their own, whose one process reads from
 * this one: however this one ends, the mounts and their loop devices are gone at once, and there is nothing to clear away.
 */
export interface MountNamespace {
  /** Mounts it on the folder `point`; what lies there on the host stays as it is. */
  mount(source: string, point: string, options: readonly string[]): Promise<void>;
  /** Returns the path at which this process and its children see a place of the namespace. */
  at(place: string): string;
  /** Runs a program in there. */
  run(argv: Argv): Promise<string>;
}

/** Neither programs nor devices of a container are the host's. */
const guarded = ["nosuid", "nodev", "noexec"];

/**
 * Runs `work` with a new mount namespace, whose mounts are gone when it resolves. `task`: whose work it is, as of
 * `runChild`.
 */
export async function inMountNamespace<T>(task: string, work: (space: MountNamespace) => Promise<T>): Promise<T> {
  const { space, close } = await openMountNamespace(task);
  try {
    const result = await work(space);
    await close();
    return result;
  } catch (error) {
    // What is still in use goes with its last user.
    await close().catch(() => undefined);
    throw error;
  }
}

async function openMountNamespace(task: string): Promise<{ space: MountNamespace; close(): Promise<void> }> {
  const holder = startProcess(["unshare", "--mount", "--propagation", "slave", "--", "cat"], {
    task,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const pid = await ready(holder);
  const points: string[] = [];

  function run(argv: Argv): Promise<string> {
    return runChild(["nsenter", "-t", String(pid), "--mount", "--", ...argv], { task });
  }

  async function close(): Promise<void> {
    try {
      while (points.length > 0) {
        await run(["umount", "--", points.at(-1) as string]);
        points.pop();
      }
    } finally {
      holder.child.stdin?.end();
      await holder.ended;
    }
  }

  const space: MountNamespace = {
    async mount(source, point, options) {
      await run(["mount", "-t", "ext4", "-o", [...guarded, ...options].join(","), "--", source, point]);
      points.push(point);
    },
    at: (place) => `/proc/${pid}/root${place}`,
    run,
  };
  return { space, close };
}

/** Waits until the process is in its namespace, which it shows by echoing a line, and returns its process id. */
async function ready({ child, ended }: StartedProcess): Promise<number> {
  child.stdin?.on("error", () => undefined).write("\n");
  const said = child.stdout ? once(child.stdout, "data").then(() => child.pid) : undefined;
  const pid = await Promise.race([said, ended.then(() => undefined)]).catch(() => undefined);
  if (pid === undefined) throw new AppError("engine_failed", "This host gives LXC no mount namespace of its own.");
  return pid;
}
