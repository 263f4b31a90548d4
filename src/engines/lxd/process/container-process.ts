import { hasCode } from "../../../errors.ts";
import type { StopOptions } from "../../container-life.ts";
import type { LxdHttp } from "../client/http.ts";
import { findInstance, type Instance, instancePath, isUp, requireInstance } from "../client/instance.ts";
import type { Operations } from "../client/operations.ts";
import { isBusy, reasonOf } from "../failures.ts";
import { startFailure } from "./start-failure.ts";
import { withAvailableParts } from "./unavailable-parts.ts";

/**
 * Starts, ends and removes containers as LXD does it. All operations on containers are made from these. LXD refuses to do
 * two things with a container at once: each call is repeated for up to two minutes while LXD does something else with it.
 */
export interface ContainerProcess {
  /** Runs `act` again for as long as it throws that LXD is busy with this container, for up to two minutes. */
  retryWhileBusy(name: string, act: () => Promise<void>): Promise<void>;
  /** Has LXD change a container's state, by a body of `PUT /1.0/instances/NAME/state`. Throws what LXD says. */
  setState(name: string, body: Record<string, unknown>, signal?: AbortSignal): Promise<void>;
  /**
   * Starts a container, unless it runs. Waits up to 75 s for a network or a storage pool that LXD has not set up yet.
   * Throws `not_found`, or `engine_failed` with the reason in LXC's log.
   */
  start(name: string, signal?: AbortSignal): Promise<void>;
  /** Kills a container when it runs. None of that name is no error. */
  kill(name: string, signal?: AbortSignal): Promise<void>;
  /** Asks a container to end, and kills it after `grace` seconds, 10 unless given. Throws `not_found`. */
  stop(name: string, options?: StopOptions): Promise<void>;
  /** Kills and removes a container. None of that name is no error. */
  remove(name: string, signal?: AbortSignal): Promise<void>;
}

/** Milliseconds for what LXD does with a container already, or for what another caller does in turn. */
const patience = 120_000;
/** Seconds. */
const usualGrace = 10;

/** Returns the primitives for the containers of one LXD. */
export function createContainerProcess(http: LxdHttp, operations: Operations): ContainerProcess {
  async function retryWhileBusy(name: string, act: () => Promise<void>): Promise<void> {
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

  function setState(name: string, body: Record<string, unknown>, signal?: AbortSignal): Promise<void> {
    return operations.run({ method: "PUT", path: `${instancePath(name)}/state`, body }, signal);
  }

  async function start(name: string, signal?: AbortSignal): Promise<void> {
    await retryWhileBusy(name, async () => {
      if ((await requireInstance(http, name, signal)).status === "Running") return;
      try {
        const act = () => setState(name, { action: "start", timeout: -1 }, signal);
        await withAvailableParts(http, act, { signal });
      } catch (error) {
        if (!/already running/i.test(reasonOf(error))) throw await startFailure(http, name, error);
      }
    });
  }

  async function kill(name: string, signal?: AbortSignal): Promise<void> {
    await retryWhileBusy(name, async () => {
      const instance = await findInstance(http, name, signal);
      if (instance && isUp(instance)) await killOnce(name, signal);
    });
  }

  async function killOnce(name: string, signal?: AbortSignal): Promise<void> {
    try {
      await setState(name, { action: "stop", force: true, timeout: -1 }, signal);
    } catch (error) {
      if (!/already stopped|not running/i.test(reasonOf(error))) throw error;
    }
  }

  async function stop(name: string, { grace = usualGrace, signal }: StopOptions = {}): Promise<void> {
    await retryWhileBusy(name, async () => {
      const instance = await requireInstance(http, name, signal);
      if (isUp(instance) && !(await endsWithin(instance, grace, signal))) await killOnce(name, signal);
    });
  }

  /** Asks a container to end, and returns whether it did within the grace. A paused one cannot end by itself. */
  async function endsWithin(instance: Instance, grace: number, signal?: AbortSignal): Promise<boolean> {
    if (grace === 0 || instance.status === "Frozen") return false;
    try {
      await setState(instance.name, { action: "stop", force: false, timeout: grace }, signal);
      return true;
    } catch (error) {
      if (isBusy(error) || !hasCode(error, "engine_failed")) throw error;
      return false;
    }
  }

  async function remove(name: string, signal?: AbortSignal): Promise<void> {
    await retryWhileBusy(name, async () => {
      const instance = await findInstance(http, name, signal);
      if (!instance) return;
      try {
        if (isUp(instance)) await killOnce(name, signal);
        await operations.run({ method: "DELETE", path: instancePath(name) }, signal);
      } catch (error) {
        if (!hasCode(error, "not_found")) throw error;
      }
    });
  }

  return { retryWhileBusy, setState, start, kill, stop, remove };
}
