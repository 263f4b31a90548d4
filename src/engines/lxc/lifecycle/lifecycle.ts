import { AppError } from "../../../errors.ts";
import type { RemoveOptions } from "../../container-life.ts";
import type { Containers } from "../../engine.ts";
import { runChild } from "../../../util/process/run-child.ts";
import type { LxcEvents } from "../events.ts";
import { cancelled } from "../failures.ts";
import { readConfig, settingsOf, withSettings, writeConfig } from "../files/config-file.ts";
import { isContainerName, type Layout } from "../files/layout.ts";
import { isAutostart } from "../inspect/inspect.ts";
import type { ContainerProcess } from "../process/container-process.ts";
import type { RestartMark } from "../process/restart-mark.ts";
import type { LockedChange } from "./locked-change.ts";
import { createRemove, type RemoveDeps } from "./remove.ts";
import { runningContainers } from "../process/running-containers.ts";
import { renameContainer } from "./rename.ts";

interface Deps extends RemoveDeps {
  layout: Layout;
  processes: ContainerProcess;
  restartMark: RestartMark;
  events: LxcEvents;
  change: LockedChange;
}

type Lifecycle = Pick<
  Containers,
  "start" | "kill" | "stop" | "restart" | "pause" | "unpause" | "rename" | "setAutostart" | "remove"
>;

/** Returns the operations on a container after it was made, each under the container's lock. */
export function createLifecycle(deps: Deps): Lifecycle {
  const { layout, processes, restartMark, events, change, addresses } = deps;
  const removeLocked = createRemove(deps);

  /** As `change`, but also for a container that is not there. */
  async function locked(name: string, signal: AbortSignal | undefined, act: () => Promise<void>): Promise<void> {
    if (signal?.aborted) throw cancelled();
    await processes.lock(name, act);
    await events.refresh();
  }

  async function kill(name: string, signal?: AbortSignal): Promise<void> {
    if (!signal?.aborted && !isContainerName(name)) return;
    await locked(name, signal, async () => {
      await processes.kill(name);
      await restartMark.clear(name);
    });
  }

  async function remove(name: string, { signal }: RemoveOptions = {}): Promise<void> {
    if (!signal?.aborted && !isContainerName(name)) return;
    await locked(name, signal, () => removeLocked(name));
  }

  async function setFrozen(name: string, on: boolean, signal?: AbortSignal): Promise<void> {
    await change(name, signal, async ({ pid, paused = false }) => {
      if (pid === 0) throw new AppError("conflict", `The LXC container ${name} does not run.`);
      if (paused === on) return;
      const argv = [on ? "lxc-freeze" : "lxc-unfreeze", "-P", layout.path, "-n", name] as const;
      await runChild(argv, { task: "lxc", signal });
    });
  }

  async function rename(name: string, to: string, signal?: AbortSignal): Promise<string> {
    await change(name, signal, async () => {
      if (name === to) return;
      if ((await runningContainers(layout.path)).has(name))
        throw new AppError("conflict", `The LXC container ${name} runs: stop it to rename it.`);
      await renameContainer(layout, name, to);
      await addresses.move(name, to);
    });
    return to;
  }

  return {
    start: (name, signal) =>
      locked(name, signal, async () => {
        await processes.start(name);
        await restartMark.clear(name);
      }),
    kill,
    stop: (name, options = {}) =>
      change(name, options.signal, async (found) => {
        await processes.stop(found, options);
        await restartMark.clear(name);
      }),
    restart: (name, options = {}) =>
      change(name, options.signal, async (found) => {
        await processes.stop(found, options);
        await processes.start(name);
      }),
    pause: (name, signal) => setFrozen(name, true, signal),
    unpause: (name, signal) => setFrozen(name, false, signal),
    rename,
    setAutostart: (name, on, signal) => change(name, signal, () => writeAutostart(layout, name, on)),
    remove,
  };
}

async function writeAutostart(layout: Layout, name: string, on: boolean): Promise<void> {
  const config = await readConfig(layout, name);
  // The groups of one that starts already were chosen by somebody.
  if (isAutostart(settingsOf(config, "lxc.start.auto").at(-1)) === on) return;
  const wanted = { "lxc.start.auto": on ? "1" : undefined, "lxc.group": on ? "onboot" : undefined };
  await writeConfig(layout, name, withSettings(config, wanted));
}
