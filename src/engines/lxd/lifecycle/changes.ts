import { AppError, hasCode, invalid } from "../../../errors.ts";
import type { Containers } from "../../engine.ts";
import type { StopOptions } from "../../container-life.ts";
import { createFailure, isBusy } from "../failures.ts";
import type { LxdHttp } from "../client/http.ts";
import { findInstance, type Instance, instancePath, isInstanceName, isUp } from "../client/instance.ts";
import { isAutostart, requireInstance } from "../inspect/inspect.ts";
import type { Operations } from "../client/operations.ts";

interface Deps {
  http: LxdHttp;
  operations: Operations;
  /** Tries again while LXD does something else with the container. */
  insist(name: string, act: () => Promise<void>): Promise<void>;
  start(name: string, signal?: AbortSignal): Promise<void>;
  kill(name: string, signal?: AbortSignal): Promise<void>;
}

type Changes = Pick<Containers, "shutDown" | "restart" | "pause" | "unpause" | "rename" | "setAutostart">;

const usualGrace = 10;

/** Changes of a container that somebody asks for. */
export function createChanges({ http, operations, insist, start, kill }: Deps): Changes {
  function setState(name: string, body: Record<string, unknown>, signal?: AbortSignal): Promise<void> {
    return operations.run({ method: "PUT", path: `${instancePath(name)}/state`, body }, signal);
  }

  /** Whether it did, within the grace. What stands still cannot end by itself. */
  async function endGently(instance: Instance, grace: number, signal?: AbortSignal): Promise<boolean> {
    if (grace === 0 || instance.status === "Frozen") return false;
    try {
      await setState(instance.name, { action: "stop", force: false, timeout: grace }, signal);
      return true;
    } catch (error) {
      if (isBusy(error) || !hasCode(error, "engine_failed")) throw error;
      return false;
    }
  }

  async function shutDown(name: string, { grace = usualGrace, signal }: StopOptions = {}): Promise<void> {
    await insist(name, async () => {
      const instance = await requireInstance(http, name, signal);
      if (isUp(instance) && !(await endGently(instance, grace, signal))) await kill(name, signal);
    });
  }

  async function restart(name: string, options: StopOptions = {}): Promise<void> {
    await shutDown(name, options);
    await start(name, options.signal);
  }

  /** `from` = the status in which it is to be done; in the one that it leads to nothing is to do. */
  async function change(name: string, action: "freeze" | "unfreeze", signal?: AbortSignal): Promise<void> {
    const from = action === "freeze" ? "Running" : "Frozen";
    await insist(name, async () => {
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
    await insist(name, async () => {
      const instance = await findInstance(http, name, signal);
      if (!instance) throw new AppError("not_found", `LXD has no container ${name}.`);
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
    await insist(name, () => operations.run({ method: "PATCH", path: instancePath(name), body }, signal));
  }

  return {
    shutDown,
    restart,
    pause: (name, signal) => change(name, "freeze", signal),
    unpause: (name, signal) => change(name, "unfreeze", signal),
    rename,
    setAutostart,
  };
}
