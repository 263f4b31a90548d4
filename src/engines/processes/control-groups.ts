import { access, readdir, readFile } from "node:fs/promises";

/**
 * Returns a container's control groups, as /proc/PID/cgroup names them; programs inside make more below. `controllers`
 * is [] in version 2; `group` is a path below the controller's mount. `pid`: of the first process.
 */
export async function containerControlGroups(pid: number): Promise<{ controllers: string[]; group: string }[]> {
  const groups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  return groups.split("\n").flatMap((line) => {
    const [, controllers = "", group = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const own = /^.*?\/lxc\.payload[^/]*/.exec(group)?.[0];
    return own === undefined ? [] : [{ controllers: controllers.split(",").filter(Boolean), group: own }];
  });
}

/** Returns whether the kernel limits swap: LXC starts no container with a limit that the kernel has not. */
export async function countsSwap(): Promise<boolean> {
  const groups = await readdir("/sys/fs/cgroup").catch(() => []);
  const files = ["memory/memory.memsw.limit_in_bytes", ...groups.map((group) => `${group}/memory.swap.max`)];
  for (const file of files) {
    const there = await access(`/sys/fs/cgroup/${file}`).then(
      () => true,
      () => false,
    );
    if (there) return true;
  }
  return false;
}
