import type { Container, Containers } from "../../engine.ts";
import { mapAtOnce } from "../../../util/concurrency.ts";
import type { LxdHttp } from "../client/http.ts";
import { findInstance, type Instance, isUp, looksUnfinished, toContainer } from "../client/instance.ts";
import type { Operations } from "../client/operations.ts";
import type { LxdEvents } from "../events.ts";
import type { ContainerProcess } from "../process/container-process.ts";
import { createInitProcesses } from "../process/init-process.ts";
import { isCopy, type Moving } from "../rootfs/move.ts";

interface Deps {
  http: LxdHttp;
  operations: Operations;
  events: LxdEvents;
  moving: Moving;
  processes: ContainerProcess;
}

const lookupsAtOnce = 4;

/**
 * Returns what finds containers. A container that moves to another pool is found all the time, its copy never. What is left
 * of a creation that LXD did not survive is removed when it is found.
 */
export function createFinder({
  http,
  operations,
  events,
  moving,
  processes,
}: Deps): Pick<Containers, "list" | "getById"> {
  const inits = createInitProcesses(http);

  async function list(signal?: AbortSignal): Promise<Container[]> {
    // A caller that subscribes first and lists then misses nothing.
    await events.listening();
    const all = await http.get<Instance[]>("/1.0/instances?recursion=1&instance-type=container", signal);
    const instances = await moving.resolve(all);
    inits.retain(instances);
    const found = await mapAtOnce(instances, lookupsAtOnce, (instance) => read(instance, signal));
    return found.filter((container) => container !== undefined);
  }

  async function getById(name: string, signal?: AbortSignal): Promise<Container | undefined> {
    const moves = moving.isMoving(name);
    const own = await findInstance(http, name, signal);
    // It may just have arrived.
    const instance = own ?? (moves || moving.isMoving(name) ? await moving.find(name, signal) : undefined);
    // The container itself is there or will be; a copy is nobody's.
    return instance && !isCopy(instance) ? read(instance, signal) : undefined;
  }

  async function read(instance: Instance, signal?: AbortSignal): Promise<Container | undefined> {
    if (looksUnfinished(instance) && (await discard(instance.name))) return undefined;
    return toContainer(instance, isUp(instance) ? await inits.get(instance, signal) : 0);
  }

  /**
   * Removes what is unfinished, and returns whether it is gone. An operation is there longer than its container is
   * unfinished, so without one, what is still unfinished stays so.
   */
  async function discard(name: string): Promise<boolean> {
    if (await operations.isBusy(name)) return false;
    const again = await findInstance(http, name);
    if (!again) return true;
    if (!looksUnfinished(again)) return false;
    await processes.remove(name);
    return true;
  }

  return { list, getById };
}
