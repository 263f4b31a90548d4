import { lstat, readdir } from "node:fs/promises";
import path from "node:path";

import { exists } from "../../util/exists.ts";
import type { ContainerSpec } from "../container-spec.ts";

/** A device node below /dev. */
export interface DeviceNode {
  /** As /dev/video0. */
  path: string;
  /** A character device or a block device. */
  kind: "c" | "b";
  /** The kernel's major number; see Documentation/admin-guide/devices.txt. */
  major: number;
}

/** What a spec's devices are on this host. */
export interface HostFacts {
  /** Nodes of the majors in `spec.devices` that exist now. */
  nodes: readonly DeviceNode[];
  /** Whether NVIDIA's driver is loaded. */
  nvidia: boolean;
  /** GPU nodes for a host without NVIDIA's driver, as /dev/dri/card0. */
  gpuNodes: readonly string[];
}

/** File systems of their own, without devices of the host. */
const skipped = new Set(["/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/hugepages"]);
/** Every container has its own of these. */
const standard = new Set(
  ["console", "full", "null", "ptmx", "random", "tty", "urandom", "zero"].map((name) => `/dev/${name}`),
);

/**
 * Returns what this host has of a spec's devices. It is looked up at each create, because devices are plugged in at any
 * time.
 */
export async function readHostFacts(spec: Pick<ContainerSpec, "devices" | "gpu">): Promise<HostFacts> {
  const nvidia = spec.gpu && (await exists("/dev/nvidiactl"));
  const majors = new Set(spec.devices.flatMap((rule) => rule.majors.map(({ kind, major }) => `${kind}${major}`)));
  const nodes = majors.size > 0 ? await deviceNodes("/dev", (node) => majors.has(`${node.kind}${node.major}`)) : [];
  const gpuNodes = spec.gpu && !nvidia ? (await deviceNodes("/dev/dri", () => true)).map((node) => node.path) : [];
  return { nodes, nvidia, gpuNodes };
}

/** Returns the device nodes below a folder that are wanted. */
export async function deviceNodes(folder: string, wanted: (node: DeviceNode) => boolean): Promise<DeviceNode[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found: DeviceNode[] = [];
  for (const entry of entries) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory() && !skipped.has(name)) found.push(...(await deviceNodes(name, wanted)));
    if ((!entry.isCharacterDevice() && !entry.isBlockDevice()) || standard.has(name)) continue;
    const node = {
      path: name,
      kind: entry.isBlockDevice() ? ("b" as const) : ("c" as const),
      major: await majorOf(name),
    };
    if (wanted(node)) found.push(node);
  }
  return found;
}

/** Returns the kernel's major number of a node; -1 when the node is gone meanwhile. */
async function majorOf(name: string): Promise<number> {
  const stat = await lstat(name, { bigint: true }).catch(() => undefined);
  if (!stat) return -1;
  return Number(((stat.rdev >> 8n) & 0xfffn) | ((stat.rdev >> 32n) & ~0xfffn));
}
