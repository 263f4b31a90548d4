import { existsSync } from "node:fs";

import type { LxdHttp } from "../client/http.ts";
import { type Instance, instancePath } from "../client/instance.ts";

/** First processes by container. LXD takes 5 ms to look one up, so it is asked once for each start. */
export interface InitProcesses {
  /** Returns the first process of an instance; 0 = it does not run any more. */
  get(instance: Instance, signal?: AbortSignal): Promise<number>;
  /** Forgets all containers but these. */
  retain(instances: readonly Instance[]): void;
}

/** Returns the first processes of the containers of one LXD. */
export function createInitProcesses(http: LxdHttp): InitProcesses {
  const known = new Map<string, { start: string; pid: number }>();

  async function get(instance: Instance, signal?: AbortSignal): Promise<number> {
    const { name, last_used_at: start } = instance;
    const before = known.get(name);
    if (before?.start === start && existsSync(`/proc/${before.pid}`)) return before.pid;
    const state = await http.find<{ pid: number }>(`${instancePath(name)}/state`, signal);
    const pid = Math.max(0, state?.pid ?? 0);
    if (pid > 0) known.set(name, { start, pid });
    else known.delete(name);
    return pid;
  }

  function retain(instances: readonly Instance[]): void {
    const names = new Set(instances.map(({ name }) => name));
    for (const name of known.keys()) if (!names.has(name)) known.delete(name);
  }

  return { get, retain };
}
