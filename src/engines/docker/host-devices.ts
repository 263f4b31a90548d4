import { access, lstat, readdir } from "node:fs/promises";
import path from "node:path";

import type { ContainerSpec } from "../engine.ts";
import type { CreateFacts, DeviceNode } from "./create-body.ts";

/** File systems of their own, without devices of the host. */
const skipped = new Set(["/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/hugepages"]);
/** Every container has its own of these. */
const standard = new Set(
  ["console", "full", "null", "ptmx", "random", "tty", "urandom", "zero"].map((name) => `/dev/${name}`),
);

/** The host's side of a spec's devices; looked up at each create, because devices are plugged in at any time. */
export async function hostFacts(spec: ContainerSpec): Promise<Omit<CreateFacts, "version">> {
  const nvidia = spec.gpu && (await exists("/dev/nvidiactl"));
  const majors = new Set(spec.devices.flatMap((rule) => rule.majors.map(({ kind, major }) => `${kind}${major}`)));
  const nodes = majors.size > 0 ? await deviceNodes("/dev", (node) => majors.has(`${node.kind}${node.major}`)) : [];
  const gpuNodes = spec.gpu && !nvidia ? (await deviceNodes("/dev/dri", () => true)).map((node) => node.path) : [];
  return { nodes, nvidia, gpuNodes };
}

async function deviceNodes(folder: string, wanted: (node: DeviceNode) => boolean): Promise<DeviceNode[]> {
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

/** -1: the node is gone meanwhile. */
async function majorOf(name: string): Promise<number> {
  const stat = await lstat(name, { bigint: true }).catch(() => undefined);
  if (!stat) return -1;
  return Number(((stat.rdev >> 8n) & 0xfffn) | ((stat.rdev >> 32n) & ~0xfffn));
}

function exists(name: string): Promise<boolean> {
  return access(name).then(
    () => true,
    () => false,
  );
}
