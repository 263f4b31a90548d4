import { existsSync } from "node:fs";
import { folderOf, type CgroupMount, type CgroupMounts } from "./cgroup-mounts.ts";
import { readKernelFile } from "./read-file.ts";

/** What a container has used so far, and uses now. */
export interface Usage {
  /** Nanoseconds of CPU time. */
  cpu: number;
  /** Bytes, without the cache that the kernel would give back first. */
  memory: number;
}

/** Answers the usage of one container; throws when its group is gone. */
export type UsageReader = () => Usage;

/** Whose groups they are. */
export interface GroupOwner {
  /** As the engine knows the container: docker's 64 hex digits, else the name. */
  id: string;
  /** Docker: an id that is not in the path means that the process is another one, of another process namespace. */
  named: boolean;
}

/** From the text of /proc/PID/cgroup. Undefined when there is no group that can be told to be the container's. */
export function usageReader(mounts: CgroupMounts, text: string, owner: GroupOwner): UsageReader | undefined {
  const groups = parseGroups(text);
  const at = (mount: CgroupMount | undefined, controller: string): string | undefined => {
    const group = containerGroup(groups.get(controller) ?? "", owner);
    return mount && group !== undefined ? folderOf(mount, group) : undefined;
  };
  const unified = at(mounts.unified, "");
  const cpu = cpuReader(at(mounts.cpuacct, "cpuacct"), unified);
  const memory = memoryReader(at(mounts.memory, "memory"), unified);
  return cpu && memory && (() => ({ cpu: cpu(), memory: memory() }));
}

/** Controller -> group; "" is the hierarchy of version 2. */
function parseGroups(text: string): Map<string, string> {
  const groups = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) continue;
    for (const controller of controllers.split(",")) groups.set(controller, group);
  }
  return groups;
}

/**
 * An init system moves itself into a group below the container's, so the path is cut back to the part that the engine
 * made. After a killed monitor LXC numbers it: `lxc.payload.NAME-1`.
 */
function containerGroup(group: string, { id, named }: GroupOwner): string | undefined {
  const parts = group.split("/");
  // Docker and Podman put the id into words of their own: `docker-ID.scope`.
  const isOwn = (part: string): boolean => (named ? part.includes(id) : part === id || part.startsWith("lxc.payload."));
  const last = parts.findLastIndex(isOwn);
  if (last > 0) return parts.slice(0, last + 1).join("/");
  return named || group === "" || group === "/" ? undefined : group.replace(/\/init\.scope$/, "");
}

function cpuReader(v1: string | undefined, v2: string | undefined): (() => number) | undefined {
  if (v1 !== undefined) return () => Number(readKernelFile(`${v1}/cpuacct.usage`));
  return v2 === undefined ? undefined : () => 1000 * valueOf(readKernelFile(`${v2}/cpu.stat`), "usage_usec");
}

function memoryReader(v1: string | undefined, v2: string | undefined): (() => number) | undefined {
  if (v1 !== undefined) {
    const statistics = () => valueOf(readKernelFile(`${v1}/memory.stat`), "total_inactive_file");
    return () => withoutCache(Number(readKernelFile(`${v1}/memory.usage_in_bytes`)), statistics());
  }
  if (v2 === undefined) return undefined;
  // A group without the controller has none of its files.
  if (!existsSync(`${v2}/memory.current`)) return () => 0;
  const statistics = () => valueOf(readKernelFile(`${v2}/memory.stat`), "inactive_file");
  return () => withoutCache(Number(readKernelFile(`${v2}/memory.current`)), statistics());
}

function withoutCache(usage: number, inactive: number): number {
  return Math.max(0, usage - inactive);
}

/** Of a text of lines `name value`; 0 when there is no such line. */
export function valueOf(text: string, name: string): number {
  const line = `\n${text}`;
  const at = line.indexOf(`\n${name} `);
  return at === -1 ? 0 : Number.parseInt(line.slice(at + name.length + 2, at + name.length + 24), 10);
}
