/** Where a hierarchy of control groups is mounted. */
export interface CgroupMount {
  /** Absolute path of the mount. */
  folder: string;
  /** The group that the mount shows; "" for the root of the hierarchy. */
  root: string;
}

/** The hierarchies that count CPU time and memory; version 2 has one for all. */
export interface CgroupMounts {
  cpuacct: CgroupMount | undefined;
  memory: CgroupMount | undefined;
  unified: CgroupMount | undefined;
}

/** From the text of /proc/self/mountinfo. */
export function findCgroupMounts(mountinfo: string): CgroupMounts {
  const found: CgroupMounts = { cpuacct: undefined, memory: undefined, unified: undefined };
  for (const line of mountinfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "", folder = ""] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    const mount = { folder, root: root === "/" ? "" : root };
    if (type === "cgroup2") found.unified ??= mount;
    if (type !== "cgroup") continue;
    const controllers = options.split(",");
    if (controllers.includes("cpuacct")) found.cpuacct ??= mount;
    if (controllers.includes("memory")) found.memory ??= mount;
  }
  return found;
}

/** The folder of a group, as /proc/PID/cgroup names it; undefined when the mount does not show it. */
export function folderOf({ folder, root }: CgroupMount, group: string): string | undefined {
  if (group !== root && !group.startsWith(`${root}/`)) return undefined;
  return `${folder}${group.slice(root.length)}`;
}
