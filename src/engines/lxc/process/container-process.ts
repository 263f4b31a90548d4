import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { AppError } from "../../../errors.ts";
import { createKeyedMutex } from "../../../util/concurrency.ts";
import type { StopOptions } from "../../container-life.ts";
import type { Container } from "../../engine.ts";
import { cancelled, notFound } from "../failures.ts";
import { readConfig, settingsOf } from "../files/config-file.ts";
import type { FactsStore } from "../files/container-facts.ts";
import { isContainerName, type Layout } from "../files/layout.ts";
import { waitUntilUnmounted } from "../files/loop-device.ts";
import { locateRoot, type RootLocation, unmountLeftover } from "../rootfs/root-location.ts";
import { type InitProcesses, isChildOfListener, killProcess, monitorOf, requestShutdown } from "./init-process.ts";
import { launch } from "./launch.ts";
import { killLeftovers } from "./leftovers.ts";
import { runningContainers } from "./running-containers.ts";

/**
 * Starts and ends the processes of containers. All operations on containers are made from these; whoever calls `start`,
 * `kill` or `stop` holds the container's lock.
 */
export interface ContainerProcess {
  /** Runs `work` while nobody else holds this container's lock, and returns what it returns. */
  lock<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Starts a container, unless it runs. Throws `not_found`, `invalid` or `engine_failed` with the reason in LXC's log. */
  start(name: string): Promise<void>;
  /** Kills a container and waits until all of it is gone. Throws `engine_failed` when that takes more than a minute. */
  kill(name: string): Promise<void>;
  /**
   * Asks a container to end, by the signal that its configuration names, and kills it after `grace` seconds (10 unless
   * given). A paused one is killed at once. Throws `cancelled` when the signal aborts, and leaves it running then.
   */
  stop(container: Container, options: StopOptions): Promise<void>;
}

interface Deps {
  layout: Layout;
  facts: FactsStore;
  inits: InitProcesses;
}

/** Seconds. */
const usualGrace = 10;
/** LXC takes this signal where `lxc.signal.halt` is not set; see lxc.container.conf(5). */
const usualSignal = "SIGPWR";
/** The key of a lock that is no container's name. */
const loops = "/loops";
const loopTries = 10;
const pause = 5;
/** LXC takes 40 ms to clear away behind a killed container. */
const askAgainAfter = 1_000;
const patience = 60_000;
/** LXC's own process of the container hangs when it has not ended by then. */
const monitorPatience = 5_000;

/** Returns the primitives for the containers below one LXC path. Killing the first process is far quicker than lxc-stop. */
export function createContainerProcess(deps: Deps): ContainerProcess {
  const { layout, inits } = deps;
  const lock = createKeyedMutex();
  const start = createStart({ ...deps, lock });

  async function kill(name: string): Promise<void> {
    await killRunning(deps, name);
    const root = await rootOf(layout, name);
    await killLeftovers(root);
    await unmountLeftover(root);
    if (root?.kind === "image") await waitUntilUnmounted(root.path, "lxc");
  }

  async function stop({ name, pid, paused }: Container, { grace = usualGrace, signal }: StopOptions): Promise<void> {
    // One that is just being started has no first process yet, and is killed at once.
    if (pid > 0 && grace > 0 && !paused) {
      requestShutdown(pid, settingsOf(await readConfig(layout, name), "lxc.signal.halt").at(-1) ?? usualSignal);
      await waitUntilStopped({ layout, inits }, name, { patience: grace * 1000, signal });
    }
    if (signal?.aborted) throw cancelled();
    await kill(name);
  }

  return { lock, start, kill, stop };
}

function createStart({ layout, facts, inits, lock }: Deps & Pick<ContainerProcess, "lock">) {
  return async function start(name: string): Promise<void> {
    if (!isContainerName(name) || !(await facts.get(name))) throw notFound(name);
    if (await isUp({ layout, inits }, name)) return;
    const root = await rootOf(layout, name);
    try {
      await launchFrom(root, name);
    } catch (error) {
      // Somebody else was quicker, or something that LXC knows nothing of was in the way.
      if (await isUp({ layout, inits }, name)) return;
      await unmountLeftover(root);
      if ((await killLeftovers(root)) === 0) throw error;
      await launchFrom(root, name);
    }
  };

  /**
   * Launches a container. LXC takes a loop device that is free, and fails when another one was quicker: then it is
   * tried again.
   */
  async function launchFrom(root: RootLocation | undefined, name: string): Promise<void> {
    if (root?.kind !== "image") return launch(layout, name);
    await unmountLeftover(root);
    // Of a container that has just ended the kernel may be writing yet: mounted twice, the file would be destroyed.
    await waitUntilUnmounted(root.path, "lxc");
    await lock(loops, async () => {
      for (let tries = 1; ; tries++) {
        try {
          return await launch(layout, name);
        } catch (error) {
          if (tries === loopTries || !/set loop fd/.test(error instanceof Error ? error.message : "")) throw error;
        }
      }
    });
  }
}

type Running = Pick<Deps, "layout" | "inits">;

/** Returns whether a container runs; one that somebody is starting at this moment counts once it is up. */
async function isUp({ layout, inits }: Running, name: string): Promise<boolean> {
  const deadline = performance.now() + patience;
  for (;;) {
    const run = (await runningContainers(layout.path)).get(name);
    if (run === undefined) return false;
    if ((await inits.get(name, run)) > 0) return true;
    if (performance.now() > deadline) throw tooLong(name, "setting up");
    await delay(pause * 10);
  }
}

async function killRunning({ layout, inits }: Running, name: string): Promise<void> {
  const begun = performance.now();
  let monitor: number | undefined;
  for (;;) {
    const run = (await runningContainers(layout.path)).get(name);
    if (run === undefined) return;
    const pid = (await inits.get(name, run)) || (await inits.query(name, run)).pid;
    if (pid > 0) monitor ??= await monitorOf(pid);
    // It may have ended since, and the number be another's.
    if (pid > 0 && (await isChildOfListener(pid, run))) await killProcess(pid);
    // It may have been about to start: then it is killed in the next turn.
    await waitUntilStopped({ layout, inits }, name, { patience: askAgainAfter });
    const passed = performance.now() - begun;
    if (passed > monitorPatience && monitor !== undefined) await killProcess(monitor);
    if (passed > patience) throw tooLong(name, "stopping");
  }
}

/** Waits until a container does not run, the milliseconds are over, or the signal aborts. */
async function waitUntilStopped(
  { layout }: Running,
  name: string,
  { patience: limit, signal }: { patience: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const moment = performance.now() + limit;
  while ((await runningContainers(layout.path)).has(name) && performance.now() < moment && !signal?.aborted)
    await delay(pause);
}

async function rootOf(layout: Layout, name: string): Promise<RootLocation | undefined> {
  const config = await readFile(layout.config(name), "utf8").catch(() => "");
  return locateRoot(layout, name, config);
}

function tooLong(name: string, what: string): AppError {
  return new AppError("engine_failed", `LXC has been ${what} container ${name} for a minute.`);
}
