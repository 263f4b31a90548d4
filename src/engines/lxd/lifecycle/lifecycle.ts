import { AppError, hasCode } from "../../../errors.ts";
import type { Containers } from "../../engine.ts";
import type { RemoveOptions } from "../../container-life.ts";
import { createChanges } from "./changes.ts";
import { isBusy, reasonOf } from "../failures.ts";
import type { LxdHttp } from "../client/http.ts";
import { findInstance, instancePath, isUp } from "../client/instance.ts";
import type { Operations } from "../client/operations.ts";
import { startFailure } from "../process/start-failure.ts";

/** For what LXD does with a container already, or for what another caller does in turn. */
const patience = 120_000;

type Lifecycle = Pick<Containers, "start" | "stop" | "remove"> &
  ReturnType<typeof createChanges> & {
    /** Again when something else is done to the container: LXD refuses two things at once. */
    insist(name: string, act: () => Promise<void>): Promise<void>;
  };

/** What becomes of a container after it was made. */
export function createLifecycle(http: LxdHttp, operations: Operations): Lifecycle {
  async function start(name: string, signal?: AbortSignal): Promise<void> {
    await insist(name, async () => {
      const instance = await findInstance(http, name, signal);
      if (!instance) throw new AppError("not_found", `LXD has no container ${name}.`);
      if (instance.status === "Running") return;
      const body = { action: "start", timeout: -1 };
      try {
        await operations.run({ method: "PUT", path: `${instancePath(name)}/state`, body }, signal);
      } catch (error) {
        if (!/already running/i.test(reasonOf(error))) throw await startFailure(http, name, error);
      }
    });
  }

  async function stop(name: string, signal?: AbortSignal): Promise<void> {
    await insist(name, async () => {
      const instance = await findInstance(http, name, signal);
      if (instance && isUp(instance)) await kill(name, signal);
    });
  }

  async function remove(name: string, { signal }: RemoveOptions = {}): Promise<void> {
    await insist(name, async () => {
      const instance = await findInstance(http, name, signal);
      if (!instance) return;
      try {
        if (isUp(instance)) await kill(name, signal);
        await operations.run({ method: "DELETE", path: instancePath(name) }, signal);
      } catch (error) {
        if (!hasCode(error, "not_found")) throw error;
      }
    });
  }

  async function kill(name: string, signal?: AbortSignal): Promise<void> {
    const body = { action: "stop", force: true, timeout: -1 };
    try {
      await operations.run({ method: "PUT", path: `${instancePath(name)}/state`, body }, signal);
    } catch (error) {
      if (!/already stopped|not running/i.test(reasonOf(error))) throw error;
    }
  }

  async function insist(name: string, act: () => Promise<void>): Promise<void> {
    const deadline = performance.now() + patience;
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error;
        await operations.waitUntilIdle(name);
      }
    }
  }

  return { start, stop, remove, insist, ...createChanges({ http, operations, insist, start, kill }) };
}
