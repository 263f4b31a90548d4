import { createKeyedMutex } from "../../../util/concurrency.ts";
import type { LxdHttp } from "../client/http.ts";
import { findInstance, type Instance, instancePath, keys } from "../client/instance.ts";
import type { Operations } from "../client/operations.ts";
import { createCopier } from "./copy.ts";

/**
 * Moves root file systems from one pool to another. LXD's own way loses hard links, so a container goes there by a backup,
 * as a copy with a name of its own; then the first one is removed and the copy gets its name. What is left when LXD or the
 * station ends in between is told by the key that both have.
 *
 * INVARIANT: the first one bears `leaving` only while there is a whole copy. LXD removes its files before it forgets it,
 * so that it is there does not say that it is whole.
 */
export interface Moving {
  /** Moves a container to a pool, once `stop` has stopped it; it must have the key `moving` already. */
  move(name: string, pool: string, stop: () => Promise<void>): Promise<void>;
  /** Returns all with their own names: a copy without its first one is the container, any other copy is removed. */
  resolve(instances: readonly Instance[]): Promise<Instance[]>;
  /** Returns the instance of this name, also when only its copy is there; undefined when there is none. */
  find(name: string, signal?: AbortSignal): Promise<Instance | undefined>;
  /** Returns whether its first one may be gone already, and the copy not yet have its name. */
  isMoving(name: string): boolean;
}

function isLeaving({ config }: Instance): boolean {
  return config[keys.leaving] === "true";
}

/** Returns whether an instance is the copy of one that moves. */
export function isCopy({ name, config }: Instance): boolean {
  return config[keys.moving] !== undefined && config[keys.moving] !== name;
}

/** Returns what moves containers of one LXD. */
export function createMoving(http: LxdHttp, operations: Operations): Moving {
  const underWay = new Set<string>();
  /** Several may see the same copy at once, and one of them may have given it its name when another comes to it. */
  const lock = createKeyedMutex();
  const { copyTo, remove } = createCopier(http, operations);

  async function move(name: string, pool: string, stop: () => Promise<void>): Promise<void> {
    underWay.add(name);
    try {
      // Until who gives an earlier copy its name now has done that.
      await lock(name, async () => undefined);
      await stop();
      await setLeaving(name, false);
      const copy = await copyTo(name, pool);
      await setLeaving(name, true);
      await remove(instancePath(name));
      await operations.run({ method: "POST", path: instancePath(copy), body: { name } });
    } finally {
      underWay.delete(name);
    }
  }

  async function setLeaving(name: string, on: boolean): Promise<void> {
    const body = { config: { [keys.leaving]: on ? "true" : "" } };
    await operations.run({ method: "PATCH", path: instancePath(name), body });
  }

  async function resolve(instances: readonly Instance[]): Promise<Instance[]> {
    const all = new Map(instances.map((instance) => [instance.name, instance]));
    for (const copy of instances.filter(isCopy)) {
      const name = copy.config[keys.moving] as string;
      const first = all.get(name);
      // Without the key it is another one that got the name meanwhile.
      if (first && first.config[keys.moving] !== name) continue;
      all.delete(copy.name);
      // What cannot be mended now keeps nobody from all the others; whoever uses it is told by LXD.
      if (first && !isLeaving(first)) await lock(name, () => discard(copy.name, name)).catch(() => undefined);
      else all.set(name, await lock(name, () => finish(copy, name)).catch(() => ({ ...copy, name })));
    }
    return [...all.values()];
  }

  /** Gives a whole copy its name. */
  async function finish(copy: Instance, name: string): Promise<Instance> {
    const first = await unsettled(copy.name, name);
    if (first && (first === "gone" || isLeaving(first))) {
      await remove(instancePath(name));
      await operations.run({ method: "POST", path: instancePath(copy.name), body: { name } });
    }
    return { ...copy, name };
  }

  async function discard(copy: string, name: string): Promise<void> {
    const first = await unsettled(copy, name);
    if (first && first !== "gone" && !isLeaving(first)) await remove(instancePath(copy));
  }

  /** Returns the first one of a copy that nobody works at, as both are now; `undefined`: there is no such copy any more. */
  async function unsettled(copy: string, name: string): Promise<Instance | "gone" | undefined> {
    if (underWay.has(name) || (await operations.isBusy(copy)) || (await operations.isBusy(name))) return undefined;
    const [now, first] = await Promise.all([copy, name].map((one) => findInstance(http, one)));
    if (!now || now.config[keys.moving] !== name || underWay.has(name)) return undefined;
    if (!first) return "gone";
    return first.config[keys.moving] === name ? first : undefined;
  }

  async function find(name: string, signal?: AbortSignal): Promise<Instance | undefined> {
    const found = await findInstance(http, name, signal);
    if (found && found.config[keys.moving] === undefined) return found;
    const all = await http.get<Instance[]>("/1.0/instances?recursion=1&instance-type=container", signal);
    const concerned = all.filter((instance) => instance.name === name || instance.config[keys.moving] === name);
    const one = (await resolve(concerned)).find((instance) => instance.name === name);
    // A list that was made while the copy got its name may have neither.
    return (await findInstance(http, name, signal)) ?? one;
  }

  return { move, resolve, find, isMoving: (name) => underWay.has(name) };
}
