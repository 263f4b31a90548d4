import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { AppError } from "../../../errors.ts";
import { runChild } from "../../processes/child.ts";
import type { Containers } from "../../engine.ts";
import type { RemoveOptions } from "../../container-life.ts";
import { removeTree } from "../../processes/remove-tree.ts";
import { createKeyedMutex } from "../../../util/concurrency.ts";
import type { Addresses } from "../network/addresses.ts";
import { createChanges } from "./changes.ts";
import { readConfig } from "../files/config-file.ts";
import type { FactsStore } from "../files/container-facts.ts";
import { cancelled, notFound } from "../failures.ts";
import { removeRoutes, routesOf } from "../network/address-settings.ts";
import { type InitProcesses, isChildOfListener, killProcess, monitorOf } from "../process/init-process.ts";
import { isContainerName, type Layout } from "../files/layout.ts";
import { killLeftovers } from "../process/leftovers.ts";
import { createResizing } from "../reshape/resize.ts";
import { waitUntilUnmounted } from "../files/loop-device.ts";
import { createRestartMark } from "../process/restart-mark.ts";
import { type RootLocation, locateRoot, unmountLeftover } from "../rootfs/root-location.ts";
import { runningContainers } from "../process/running-containers.ts";
import type { Staging } from "../files/staging.ts";
import { launch } from "../process/launch.ts";

/** What containers are looked at and changed by. */
export interface ContainerDeps {
  layout: Layout;
  bridge: string;
  facts: FactsStore;
  inits: InitProcesses;
  staging: Staging;
  addresses: Addresses;
}

interface Deps extends ContainerDeps {
  /** Tells those who listen what has changed. */
  look: () => Promise<void>;
  changed(name: string): void;
  getById: Containers["getById"];
}

type Lifecycle = Pick<Containers, "start" | "stop" | "remove"> & ReturnType<typeof createChanges>;

/** No container's name. */
const loops = "/loops";
const loopTries = 10;
const pause = 5;
/** LXC takes 40 ms to clear away behind a killed container. */
const askAgainAfter = 1_000;
const patience = 60_000;
/** LXC's own process of the container hangs when it has not ended by then. */
const monitorPatience = 5_000;

/** What becomes of a container after it was made. Killing its first process is quicker by far than LXC's own stop. */
export function createLifecycle(deps: Deps): Lifecycle {
  const { layout, facts, inits, staging, addresses, look } = deps;
  const turn = createKeyedMutex();
  const mark = createRestartMark(layout);

  async function start(name: string, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw cancelled();
    await turn(name, async () => {
      await startNow(name);
      await mark.clear(name);
    });
    await look();
  }

  async function startNow(name: string): Promise<void> {
    if (!isContainerName(name) || !(await facts.get(name))) throw notFound(name);
    if (await isUp(name)) return;
    const root = await rootOf(name);
    try {
      await launchFrom(root, name);
    } catch (error) {
      // Somebody else was quicker, or something that LXC knows nothing of was in the way.
      if (await isUp(name)) return;
      await unmountLeftover(root);
      if ((await killLeftovers(root)) === 0) throw error;
      await launchFrom(root, name);
    }
  }

  /** LXC takes a loop device that is free, and fails when another one was quicker. */
  async function launchFrom(root: RootLocation | undefined, name: string): Promise<void> {
    if (root?.kind !== "image") return launch(layout, name);
    await unmountLeftover(root);
    // Of a container that has just ended the kernel may be writing yet: mounted twice, the file would be destroyed.
    await waitUntilUnmounted(root.path, "lxc");
    await turn(loops, async () => {
      for (let tries = 1; ; tries++) {
        try {
          return await launch(layout, name);
        } catch (error) {
          if (tries === loopTries || !/set loop fd/.test(error instanceof Error ? error.message : "")) throw error;
        }
      }
    });
  }

  async function rootOf(name: string): Promise<RootLocation | undefined> {
    const config = await readFile(layout.config(name), "utf8").catch(() => "");
    return locateRoot(layout, name, config);
  }

  /** Also one that somebody is starting at this moment, once it is. */
  async function isUp(name: string): Promise<boolean> {
    const deadline = performance.now() + patience;
    for (;;) {
      const incarnation = (await runningContainers(layout.path)).get(name);
      if (incarnation === undefined) return false;
      if ((await inits.get(name, incarnation)) > 0) return true;
      if (performance.now() > deadline) throw tooLong(name, "setting up");
      await delay(pause * 10);
    }
  }

  async function stop(name: string, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw cancelled();
    if (!isContainerName(name)) return;
    await turn(name, async () => {
      await end(name);
      await mark.clear(name);
    });
    await look();
  }

  async function end(name: string): Promise<void> {
    const begun = performance.now();
    let monitor: number | undefined;
    for (;;) {
      const incarnation = (await runningContainers(layout.path)).get(name);
      if (incarnation === undefined) break;
      const pid = (await inits.get(name, incarnation)) || (await inits.query(name, incarnation)).pid;
      if (pid > 0) monitor ??= await monitorOf(pid);
      // It may have ended since, and the number be another's.
      if (pid > 0 && (await isChildOfListener(pid, incarnation))) await killProcess(pid);
      await untilGone(name);
      const passed = performance.now() - begun;
      if (passed > monitorPatience && monitor !== undefined) await killProcess(monitor);
      if (passed > patience) throw tooLong(name, "stopping");
    }
    const root = await rootOf(name);
    await killLeftovers(root);
    await unmountLeftover(root);
    if (root?.kind === "image") await waitUntilUnmounted(root.path, "lxc");
  }

  /** Or a moment is over: it may have been about to start. */
  async function untilGone(name: string, patience = askAgainAfter, signal?: AbortSignal): Promise<void> {
    const moment = performance.now() + patience;
    while ((await runningContainers(layout.path)).has(name) && performance.now() < moment && !signal?.aborted)
      await delay(pause);
  }

  async function remove(name: string, { signal }: RemoveOptions = {}): Promise<void> {
    if (signal?.aborted) throw cancelled();
    if (!isContainerName(name)) return;
    await turn(name, async () => {
      const known = await facts.get(name);
      if (!known) return;
      await end(name);
      if (!isBelow(known.rootfs, layout.home(name))) return destroy(name);
      const owner = known.station?.mark ?? { station: "none", task: 0 };
      // Before nobody knows of them any more.
      await removeRoutes(routesOf(await readConfig(layout, name)));
      const folder = await staging.withdraw(name, owner);
      await addresses.unreserve(name);
      await look();
      await removeTree(folder, { task: `${owner.station}/${owner.task}` });
    });
    await look();
  }

  /** Its storage is not a folder of its own: LXC knows how to give it up. */
  async function destroy(name: string): Promise<void> {
    await runChild(["lxc-destroy", "-P", layout.path, "-n", name], { task: "lxc" });
    if (await facts.get(name)) throw new AppError("engine_failed", `LXC did not remove container ${name}.`);
  }

  const resizing = createResizing(deps);
  const changes = createChanges({ ...deps, resizing, mark, turn, startNow, end, untilStopped: untilGone });
  return { start, stop, remove, ...changes };
}

/** A container of another kind may have a volume group or a snapshot behind it. */
function isBelow(rootfs: string, home: string): boolean {
  const [, type, place = ""] = /^(?:(\w+):)?(.*)$/.exec(rootfs) ?? [];
  return (type === undefined || type === "dir" || type === "loop") && place.startsWith(`${home}/`);
}

function tooLong(name: string, what: string): AppError {
  return new AppError("engine_failed", `LXC has been ${what} container ${name} for a minute.`);
}
