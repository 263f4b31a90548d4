import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../engines/commands.ts";
import { inDatabase } from "./station-data.ts";
import type { SystemWorld } from "./system-station.ts";

/** All that a create could leave behind outside the containers themselves, sorted. Equal before and after = nothing left. */
export interface Leftovers {
  /** Half-made files of LXC and of the image store. */
  staging: string[];
  /** Mounts below LXC's folder and the image store. */
  mounts: string[];
  /** Processes that work for a task. */
  children: string[];
  /** HOST PORT of every forwarding rule. */
  rules: string[];
  /** Claimed ports. */
  claims: string[];
  /** What LXD is doing. */
  operations: string[];
  /** Folders of LXC, whether or not they are containers. */
  folders: string[];
  instances: string[];
}

export async function leftovers(world: SystemWorld): Promise<Leftovers> {
  const store = join(world.station.dataDir, "images");
  const half = join(world.lxc.path, ".gantry-staging");
  const operations =
    await world.lxd.get<Record<string, { id: string; status_code: number; description: string }[]>>(
      "/1.0/operations?recursion=1",
    );
  const staging = [
    ...(existsSync(half) ? readdirSync(half) : []),
    ...(existsSync(store) ? readdirSync(store).filter((name) => name.startsWith(".")) : []),
  ];
  return {
    staging: staging.toSorted(),
    mounts: mountsBelow([world.lxc.path, store]),
    children: taskProcesses(),
    rules: await forwardingRules(),
    claims: claimedPorts(world),
    operations: Object.values(operations)
      .flat()
      .filter(({ status_code: code }) => code < 200)
      .map(({ description }) => description),
    folders: readdirSync(world.lxc.path)
      .filter((name) => !name.startsWith("."))
      .toSorted(),
    instances: (await world.names("lxd")).toSorted(),
  };
}

function mountsBelow(folders: readonly string[]): string[] {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
  return points.filter((point) => folders.some((folder) => point.startsWith(`${folder}/`))).toSorted();
}

function taskProcesses(): string[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && environmentOf(pid).some((entry) => entry.startsWith("GANTRY_TASK=")))
    .toSorted();
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
  } catch {
    return [];
  }
}

async function forwardingRules(): Promise<string[]> {
  const table = await run("nft", "list", "table", "ip", "gantry").catch(() => "");
  return [...table.matchAll(/\b(\d+) : (\d+\.\d+\.\d+\.\d+) \. (\d+)/g)].map(([rule]) => rule).toSorted();
}

function claimedPorts({ station }: SystemWorld): string[] {
  const query = "SELECT owner, protocol, port FROM port_claim ORDER BY port, protocol";
  const rows = inDatabase(station, (db) => db.prepare(query).all());
  return rows.map((row) => `${String(row["owner"])} ${String(row["protocol"])} ${String(row["port"])}`);
}
