import { AppError, invalid } from "../../../errors.ts";
import type { Containers } from "../../engine.ts";
import type { LxdHttp } from "../client/http.ts";
import { instancePath, isInstanceName, isUp, requireInstance } from "../client/instance.ts";
import type { Operations } from "../client/operations.ts";
import { createFailure, isBusy } from "../failures.ts";
import { isAutostart } from "../inspect/inspect.ts";
import type { ContainerProcess } from "../process/container-process.ts";

interface Deps {
  http: LxdHttp;
  operations: Operations;
  processes: ContainerProcess;
}

type Lifecycle = Pick<
  Containers,
  "start" | "kill" | "stop" | "restart" | "pause" | "unpause" | "rename" | "setAutostart" | "remove"
>;

/** Returns the operations on a container after it was made. */
export function createLifecycle({ http, operations, processes }: Deps): Lifecycle {
  const { retryWhileBusy, setState, start, kill, stop } = processes;

  /** Does nothing when the container is in the wanted state already. Throws `conflict` when it does not run. */
  async function setFrozen(name: string, action: "freeze" | "unfreeze", signal?: AbortSignal): Promise<void> {
    const from = action === "freeze" ? "Running" : "Frozen";
    await retryWhileBusy(name, async () => {
      const { status } = await requireInstance(http, name, signal);
      if (status !== "Running" && status !== "Frozen") {
        throw new AppError("conflict", `The LXD container ${name} does not run.`);
      }
      if (status === from) await setState(name, { action, timeout: -1 }, signal);
    });
  }

  async function rename(name: string, to: string, signal?: AbortSignal): Promise<string> {
    if (!isInstanceName(to)) {
      throw invalid("name", "must begin with a letter and have only letters, digits and - for LXD, at most 63.");
    }
    await retryWhileBusy(name, async () => {
      const instance = await requireInstance(http, name, signal);
      if (name === to) return;
      if (isUp(instance)) throw new AppError("conflict", `The LXD container ${name} runs: stop it to rename it.`);
      try {
        await operations.run({ method: "POST", path: instancePath(name), body: { name: to } }, signal);
      } catch (error) {
        throw isBusy(error) ? error : createFailure(error, to);
      }
    });
    return to;
  }

  async function setAutostart(name: string, on: boolean, signal?: AbortSignal): Promise<void> {
    const instance = await requireInstance(http, name, signal);
    if (on && isAutostart(instance)) return;
    const body = { config: { "boot.autostart": String(on) } };
    await retryWhileBusy(name, () => operations.run({ method: "PATCH", path: instancePath(name), body }, signal));
  }

  return {
    start,
    kill,
    stop,
    async restart(name, options = {}) {
      await stop(name, options);
      await start(name, options.signal);
    },
    pause: (name, signal) => setFrozen(name, "freeze", signal),
    unpause: (name, signal) => setFrozen(name, "unfreeze", signal),
    rename,
    setAutostart,
    remove: (name, { signal } = {}) => processes.remove(name, signal),
  };
}
