import { hasCode } from "../../errors.ts";
import type { LxdHttp } from "./http.ts";
import { findInstance, type Instance, instancePath, keys } from "./instance.ts";
import type { Operations } from "./operations.ts";

/**
 * Roots that go from one pool to another. LXD copies the container under a name of its own, removes the first one and
 * gives the copy its name; what is left when LXD ends in between is told by the key that both have.
 */
export interface Moving {
  /** Brings it there; it must not run and must have the key already. */
  move(name: string, pool: string): Promise<void>;
  /** All with their own names: a copy that is complete is the container, any other goes. */
  settled(instances: readonly Instance[]): Promise<Instance[]>;
  /** The same for one. */
  find(name: string, signal?: AbortSignal): Promise<Instance | undefined>;
}

export function isCopy({ name, config }: Instance): boolean {
  return config[keys.moving] !== undefined && config[keys.moving] !== name;
}

export function createMoving(http: LxdHttp, operations: Operations): Moving {
  async function move(name: string, pool: string): Promise<void> {
    const body = { name, migration: true, pool };
    await operations.run({ method: "POST", path: instancePath(name), body, timeout: 120_000 });
  }

  async function settled(instances: readonly Instance[]): Promise<Instance[]> {
    const names = new Set(instances.map(({ name }) => name));
    const all: Instance[] = [];
    for (const instance of instances) {
      const name = instance.config[keys.moving];
      if (name === undefined || name === instance.name) all.push(instance);
      else if (names.has(name)) await discard(instance.name, name);
      else all.push(await finish(instance, name));
    }
    return all;
  }

  /** LXD removes the first one only when the copy is complete. */
  async function finish(copy: Instance, name: string): Promise<Instance> {
    if (!(await operations.isBusy(name)) && !(await operations.isBusy(copy.name))) {
      try {
        await operations.run({ method: "POST", path: instancePath(copy.name), body: { name } });
      } catch (error) {
        // LXD did it meanwhile.
        if (!hasCode(error, "not_found")) throw error;
      }
    }
    return { ...copy, name };
  }

  async function discard(copy: string, name: string): Promise<void> {
    if (await operations.isBusy(name)) return;
    if (!(await http.find(instancePath(name)))) return;
    try {
      await operations.run({ method: "DELETE", path: instancePath(copy) });
    } catch (error) {
      if (!hasCode(error, "not_found")) throw error;
    }
  }

  async function find(name: string, signal?: AbortSignal): Promise<Instance | undefined> {
    const found = await findInstance(http, name, signal);
    if (found && found.config[keys.moving] === undefined) return found;
    const all = await http.get<Instance[]>("/1.0/instances?recursion=1&instance-type=container", signal);
    const concerned = all.filter((instance) => instance.name === name || instance.config[keys.moving] === name);
    const one = (await settled(concerned)).find((instance) => instance.name === name);
    return one && ((await findInstance(http, name, signal)) ?? one);
  }

  return { move, settled, find };
}
