import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

/** What the kernel says of a process, for tests that do not take the engine's word. */

/** A control file of the process's group, under v1 or v2; `undefined`: this kernel has it not. */
export function cgroupFile(pid: number, controller: string, file: string): string | undefined {
  return cgroupFiles(pid, controller, file)[0];
}

/** The same of the groups above it as well: what a systemd inside has set apart is bound by those. */
export function cgroupFiles(pid: number, controller: string, file: string): string[] {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n");
  for (const line of lines) {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const unified = controllers === "";
    if (!unified && !controllers.split(",").includes(controller)) continue;
    const root = unified ? "/sys/fs/cgroup" : `/sys/fs/cgroup/${controller}`;
    const names = [];
    for (let at = path; at !== "/" && at !== ""; at = dirname(at)) names.push(`${root}${at}/${file}`);
    const found = names.filter((name) => existsSync(name));
    if (existsSync(`${root}${path}/${file}`)) return found.map((name) => readFileSync(name, "utf8").trim());
  }
  return [];
}

export const cgroupV2 = existsSync("/sys/fs/cgroup/cgroup.controllers");

/** Entries of a NUL-separated file: environ, cmdline. */
export function entries(pid: number, file: "environ" | "cmdline"): string[] {
  return readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0").slice(0, -1);
}

export function statusField(pid: number, field: string): string {
  return new RegExp(`^${field}:\\s*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
}

export interface KernelMount {
  root: string;
  target: string;
  readOnly: boolean;
}

export function mounts(pid: number): KernelMount[] {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, "utf8").trim().split("\n");
  return lines.map((line) => {
    const [, , , root = "", target = "", options = ""] = line.split(" ");
    return { root, target, readOnly: options.split(",").includes("ro") };
  });
}

/** A file as the container's processes see it; only for paths without links in them. */
export function fileInside(pid: number, path: string): string {
  return readFileSync(`/proc/${pid}/root${path}`, "utf8");
}
