import { existsSync } from "node:fs";
import { cgroupFolder, type CgroupMount, type CgroupMounts } from "./cgroup-mounts.ts";
import { readKernelFile } from "./kernel-file.ts";

/** CPU time and memory of a container. */
export interface Usage {
  /** Nanoseconds of CPU time since the container's start. */
  cpu: number;
  /** Bytes of memory in use, without the inactive page cache, which the kernel reclaims first. */
  memory: number;
}

/** Reads the usage of one container. Throws if its control group is gone. */
export type UsageReader = () => Usage;

/** The container that a control group should belong to. */
export interface CgroupOwner {
  /** The container's id in its engine: Docker's 64 hex digits, otherwise the name. */
  id: string;
  /**
   * True if the group's path must contain the id, as Docker's does. Without the id the process belongs to somebody else:
   * its number comes from another process namespace.
   */
  idInGroup: boolean;
}

/**
 * Makes the reader of a container's usage from the text of `/proc/PID/cgroup`. Returns undefined if no control group can be
 * identified as the container's.
 */
export function createUsageReader(mounts: CgroupMounts, text: string, owner: CgroupOwner): UsageReader | undefined {
  const groups = parseGroups(text);
  const folderFor = (mount: CgroupMount | undefined, controller: string): string | undefined => {
    const group = containerGroup(groups.get(controller) ?? "", owner);
    return mount && group !== undefined ? cgroupFolder(mount, group) : undefined;
  };
  const unified = folderFor(mounts.unified, "");
  const cpu = cpuReader(folderFor(mounts.cpuacct, "cpuacct"), unified);
  const memory = memoryReader(folderFor(mounts.memory, "memory"), unified);
  return cpu && memory && (() => ({ cpu: cpu(), memory: memory() }));
}

/** Maps each controller to its control group; the key "" is the hierarchy of version 2. */
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
 * Returns the part of the path that the engine made: an init system moves itself into a group below it. LXC adds a number
 * if the group of a killed monitor is still there: `lxc.payload.NAME-1`.
 */
function containerGroup(group: string, { id, idInGroup }: CgroupOwner): string | undefined {
  const parts = group.split("/");
  // Docker and Podman put the id into a longer name: `docker-ID.scope`, `libpod-ID`.
  const isOwn = (part: string): boolean =>
    idInGroup ? part.includes(id) : part === id || part.startsWith("lxc.payload.");
  const last = parts.findLastIndex(isOwn);
  if (last > 0) return parts.slice(0, last + 1).join("/");
  return idInGroup || group === "" || group === "/" ? undefined : group.replace(/\/init\.scope$/, "");
}

function cpuReader(v1: string | undefined, v2: string | undefined): (() => number) | undefined {
  if (v1 !== undefined) return () => Number(readKernelFile(`${v1}/cpuacct.usage`));
  return v2 === undefined ? undefined : () => 1000 * fieldOf(readKernelFile(`${v2}/cpu.stat`), "usage_usec");
}

function memoryReader(v1: string | undefined, v2: string | undefined): (() => number) | undefined {
  if (v1 !== undefined) {
    const statistics = () => fieldOf(readKernelFile(`${v1}/memory.stat`), "total_inactive_file");
    return () => withoutCache(Number(readKernelFile(`${v1}/memory.usage_in_bytes`)), statistics());
  }
  if (v2 === undefined) return undefined;
  // A group in which the memory controller is not enabled has none of its files.
  if (!existsSync(`${v2}/memory.current`)) return () => 0;
  const statistics = () => fieldOf(readKernelFile(`${v2}/memory.stat`), "inactive_file");
  return () => withoutCache(Number(readKernelFile(`${v2}/memory.current`)), statistics());
}

function withoutCache(usage: number, inactive: number): number {
  return Math.max(0, usage - inactive);
}

/** Returns the number in the line `name value`, or 0 if there is no such line. */
export function fieldOf(text: string, name: string): number {
  const line = `\n${text}`;
  const at = line.indexOf(`\n${name} `);
  return at === -1 ? 0 : Number.parseInt(line.slice(at + name.length + 2, at + name.length + 24), 10);
}
