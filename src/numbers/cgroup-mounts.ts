/** A mounted hierarchy of control groups. */
export interface CgroupMount {
  /** Absolute path of the mount point. */
  folder: string;
  /** The control group that is mounted there; "" for the root of the hierarchy. */
  root: string;
}

/** The hierarchies that count CPU time and memory. Each is undefined if it is not mounted. */
export interface CgroupMounts {
  /** Version 1, controller cpuacct. */
  cpuacct: CgroupMount | undefined;
  /** Version 1, controller memory. */
  memory: CgroupMount | undefined;
  /** Version 2, which has one hierarchy for all controllers. */
  unified: CgroupMount | undefined;
}

/** Finds the hierarchies in the text of `/proc/self/mountinfo`. */
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

/** Returns the folder of a control group that `/proc/PID/cgroup` names, or undefined if the mount does not contain it. */
export function cgroupFolder({ folder, root }: CgroupMount, group: string): string | undefined {
  if (group !== root && !group.startsWith(`${root}/`)) return undefined;
  return `${folder}${group.slice(root.length)}`;
}
