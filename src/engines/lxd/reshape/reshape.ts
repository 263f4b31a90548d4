import { setTimeout as delay } from "node:timers/promises";

import { AppError } from "../../../errors.ts";
import type { Container } from "../../engine.ts";
import type { Exec } from "../exec/exec.ts";
import type { ContainerProcess } from "../process/container-process.ts";
import type { Reshaping, Shape } from "../../shape.ts";
import { createConfiguring, type Undo } from "./configure.ts";
import type { LxdHttp } from "../client/http.ts";
import { createInsideFiles } from "./inside-files.ts";
import { findInstance, type Instance, keys } from "../client/instance.ts";
import type { Moving } from "../rootfs/move.ts";
import type { Operations } from "../client/operations.ts";
import { createPatching, isQuotaExceeded } from "./patch-instance.ts";
import { ensureOwnPool } from "../rootfs/pool.ts";
import { hostnameOf, keptOf } from "./patches.ts";
import { createInsideShape } from "./inside.ts";
import { belowUsage, createReshapePlan, type PlannedShape } from "./plan.ts";
import { readInsideShape, readShape } from "./read-shape.ts";

interface Deps {
  http: LxdHttp;
  operations: Operations;
  moving: Moving;
  processes: ContainerProcess;
  exec: Exec;
  /** Runs what gives addresses, one after the other: an address is free until its container has it. */
  addressLock: <T>(work: () => Promise<T>) => Promise<T>;
}

const pause = 50;
const patience = 60_000;

/** Changes of a container of LXD as it is: in LXD's configuration for good, and in what runs. */
export interface LxdReshaping extends Reshaping {
  /** Sets again, in a container that has just started, what its image may have set otherwise: names and addresses. */
  restore(container: Container, instance: Instance): Promise<void>;
}

/** Returns the changes of containers of one LXD. */
export function createReshape({ http, operations, moving, processes, exec, addressLock }: Deps): LxdReshaping {
  const files = createInsideFiles(http, exec);
  const { plan, checkFiles } = createReshapePlan({ http, files, exec });
  const applyInside = createInsideShape({ files, exec });
  const patch = createPatching(http, operations, processes.retryWhileBusy);
  const configureAll = createConfiguring(patch);

  async function present(name: string, signal?: AbortSignal): Promise<Instance> {
    const instance = await moving.find(name, signal);
    if (!instance) throw new AppError("not_found", `LXD has no container ${name}.`);
    return instance;
  }

  async function planReshape(name: string, change: Shape, signal?: AbortSignal) {
    await waitUntilMoved(moving, name, signal);
    const { pid, moves } = await plan(await present(name, signal), change, signal);
    return { restarts: moves && pid > 0 };
  }

  async function reshape(name: string, change: Shape, signal?: AbortSignal): Promise<void> {
    const configure = async () => {
      const planned = await plan(await present(name, signal), change, signal);
      await checkFiles(name, change);
      const pool = planned.moves ? await ensureOwnPool(http) : undefined;
      return { planned, pool, undo: await configureAll(planned, change) };
    };
    const { planned, pool, undo } = change.addresses ? await addressLock(configure) : await configure();
    try {
      await applyInside(name, planned.moves ? 0 : planned.pid, insideOf(change, planned));
      if (pool !== undefined) await moveRoot({ moving, processes }, name, pool);
    } catch (error) {
      // Of an LXD that is gone nobody knows how far it is; called again, it goes on.
      if (!(error instanceof AppError && error.code === "engine_unavailable")) await takeBack(planned, change, undo);
      throw error;
    }
    await finish(name);
  }

  /** Puts back what was there, as far as it goes. Its own failures are not thrown: the caller hears what was refused. */
  async function takeBack({ instance, pid, moves }: PlannedShape, change: Shape, undo: Undo): Promise<void> {
    const { name } = instance;
    const now = await findInstance(http, name);
    // The copy is whole, and what is left of this one goes when it is seen next.
    if (!now || now.config[keys.leaving] === "true") return;
    await undo();
    const { hostname, ...before } = await readInsideShape(http, instance);
    await applyInside(name, moves ? 0 : pid, {
      hostname: change.hostname && (hostname ?? hostnameOf(instance)),
      nameServers: change.nameServers && before.nameServers,
      network: change.addresses && before.network,
    }).catch(() => undefined);
    if (keptOf(now).restart) await processes.start(name);
  }

  /** Starts what was stopped for a change, also by an earlier call, and forgets that. */
  async function finish(name: string): Promise<void> {
    const instance = await present(name);
    const { restart, ...kept } = keptOf(instance);
    if (restart) await processes.start(name);
    if (!restart && instance.config[keys.moving] === undefined) return;
    await patch(name, () => ({ config: { [keys.shape]: JSON.stringify(kept), [keys.moving]: "" } }));
  }

  return {
    shape: async (name, signal) => readShape(http, await present(name, signal)),
    planReshape,
    reshape,
    async restore({ id, pid }, instance) {
      if (instance.config[keys.shape] !== undefined && pid > 0)
        await applyInside(id, pid, await readInsideShape(http, instance));
    },
  };
}

/** Returns what a planned change means for a container's own files and for what runs in it. */
function insideOf({ hostname, nameServers }: Shape, { instance, network }: PlannedShape) {
  const servers = nameServers ?? keptOf(instance).nameServers;
  const bridge = network?.card.config["network"] ?? "";
  return {
    hostname,
    nameServers,
    network: network && { ...network, bridge, card: network.card.name, nameServers: servers },
  };
}

/** Waits until a container is on its way to no other pool: what is seen in the middle is soon no more. Throws `conflict`. */
async function waitUntilMoved(moving: Moving, name: string, signal: AbortSignal | undefined): Promise<void> {
  const deadline = performance.now() + patience;
  while (moving.isMoving(name) && performance.now() < deadline) await delay(pause, undefined, { signal });
  if (moving.isMoving(name))
    throw new AppError("conflict", `The LXD container ${name} is on its way to another pool: try again.`);
}

/** Moves a container to a pool that can hold its size. Throws `conflict`, field `size`, when it is too small. */
async function moveRoot(
  { moving, processes }: Pick<Deps, "moving" | "processes">,
  name: string,
  pool: string,
): Promise<void> {
  try {
    await moving.move(name, pool, () => processes.stop(name));
  } catch (error) {
    throw isQuotaExceeded(error) ? belowUsage(undefined, error) : error;
  }
}
