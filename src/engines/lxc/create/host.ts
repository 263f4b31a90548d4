import { access, readdir } from "node:fs/promises";

import type { ContainerSpec } from "../../engine.ts";
import { deviceNodes, hostFacts } from "../../shared/host-devices.ts";
import type { ConfigFacts } from "./config.ts";

/** `nodes`: as /dev/video0. */
export type HostSide = Pick<ConfigFacts, "gpuDevices" | "swap"> & { nodes: readonly string[] };

/** The host's side of a spec's devices and limits. */
export async function readHostSide(spec: ContainerSpec): Promise<HostSide> {
  const [{ nodes }, gpu, swap] = await Promise.all([hostFacts(spec), spec.gpu ? gpuNodes() : [], countsSwap()]);
  const all = new Set([...nodes, ...gpu].map((node) => node.path));
  return { nodes: [...all], gpuDevices: [...new Set(gpu.map(({ kind, major }) => `${kind} ${major}:*`))], swap };
}

/** The kernel's common ones and NVIDIA's. Libraries that belong to NVIDIA's driver are the image's matter. */
function gpuNodes() {
  return deviceNodes("/dev", ({ path }) => /^\/dev\/(?:dri\/|nvidia)/.test(path));
}

/** LXC starts no container with a limit that the kernel has not. */
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
