import type { ContainerSpec } from "../../container-spec.ts";
import { deviceNodes, readHostFacts } from "../../shared/host-devices.ts";
import { countsSwap } from "../../processes/control-groups.ts";
import type { ConfigFacts } from "./config.ts";

/** `nodes`: as /dev/video0. */
export type HostSupport = Pick<ConfigFacts, "gpuDevices" | "swap"> & { nodes: readonly string[] };

/** Returns what this host has of a spec's devices, and what its kernel can limit. */
export async function readHostSupport(spec: ContainerSpec): Promise<HostSupport> {
  const [{ nodes }, gpu, swap] = await Promise.all([readHostFacts(spec), spec.gpu ? gpuNodes() : [], countsSwap()]);
  const all = new Set([...nodes, ...gpu].map((node) => node.path));
  return { nodes: [...all], gpuDevices: [...new Set(gpu.map(({ kind, major }) => `${kind} ${major}:*`))], swap };
}

/**
 * Returns the nodes of GPUs: the kernel's common ones and NVIDIA's. Libraries that belong to NVIDIA's driver are the
 * image's matter.
 */
function gpuNodes() {
  return deviceNodes("/dev", ({ path }) => /^\/dev\/(?:dri\/|nvidia)/.test(path));
}
