import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.ts";

const root = "/sys/fs/cgroup";

/** Mounts the control groups, unless an init system or somebody else has done so. */
export async function mountCgroups(env: Record<string, string>): Promise<void> {
  if (isMounted()) return;
  if (await mountUnified(env)) return;
  await runCommand(["mount", "-t", "tmpfs", "-o", "mode=755", "cgroup", root], env);
  for (const controller of controllers()) await mountOne(controller, controller, env);
  await mountOne("systemd", "none,name=systemd", env);
}

function isMounted(): boolean {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
  return points.some((point) => point === root || point.startsWith(`${root}/`));
}

/** Mounts version 2. Returns false if this kernel's controllers are bound to version 1. */
async function mountUnified(env: Record<string, string>): Promise<boolean> {
  try {
    await runCommand(["mount", "-t", "cgroup2", "cgroup2", root], env);
  } catch {
    return false;
  }
  const available = readFileSync(join(root, "cgroup.controllers"), "utf8").split(/\s+/);
  if (available.includes("memory") && available.includes("cpu")) return true;
  await runCommand(["umount", root], env);
  return false;
}

function controllers(): string[] {
  const rows = readFileSync("/proc/cgroups", "utf8").split("\n");
  const fields = rows.filter((row) => row !== "" && !row.startsWith("#")).map((row) => row.split("\t"));
  return fields.filter(([, , , enabled]) => enabled === "1").map(([name]) => name ?? "");
}

async function mountOne(name: string, options: string, env: Record<string, string>): Promise<void> {
  const folder = join(root, name);
  mkdirSync(folder);
  try {
    await runCommand(["mount", "-t", "cgroup", "-o", options, "cgroup", folder], env);
  } catch {
    // This kernel has the controller in another hierarchy.
    rmdirSync(folder);
  }
}
