import { readFile } from "node:fs/promises";

/** The container's control groups, of which what runs inside makes some of its own below; version 2 names no controller. */
export async function containerControlGroups(pid: number): Promise<{ controllers: string[]; group: string }[]> {
  const groups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  return groups.split("\n").flatMap((line) => {
    const [, controllers = "", group = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const own = /^.*?\/lxc\.payload[^/]*/.exec(group)?.[0];
    return own === undefined ? [] : [{ controllers: controllers.split(",").filter(Boolean), group: own }];
  });
}
