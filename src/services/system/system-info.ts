import type { SystemInfo } from "../../api/system.ts";
import type { EngineType } from "../../engines/engine.ts";
import type { Gpu } from "../../host/gpu.ts";
import type { Host } from "../../host/host.ts";
import type { Inventory } from "../../inventory/inventory.ts";

export interface StationBuild {
  /** Version of the program. */
  version: string;
  /** YYYY/MM/DD */
  date: string;
}

/** Facts about the host. */
export interface HostFacts {
  /** The processors. */
  cpu: Awaited<ReturnType<Host["cpu"]>>;
  /** The memory. */
  memory: Awaited<ReturnType<Host["memory"]>>;
  /** Bytes of a page of memory. */
  pageSize: number;
  /** The operating system. */
  os: Awaited<ReturnType<Host["os"]>>;
  /** The graphics cards. */
  gpus: readonly Gpu[];
  /** Version of Docker Compose; empty: there is none. */
  compose: string;
}

/** Reads the facts about the host. */
export async function readHostFacts(host: Host): Promise<HostFacts> {
  const [cpu, memory, pageSize, os] = await Promise.all([host.cpu(), host.memory(), host.pageSize(), host.os()]);
  const [gpus, compose] = await Promise.all([host.gpus(), host.composeVersion()]);
  return { cpu, memory, pageSize, os, gpus, compose };
}

export interface SystemInfoOptions {
  /** What this host is. */
  facts: HostFacts;
  /** The processor's architecture, such as `amd64`. */
  architecture: string;
  /** The engines and what is known of their containers. */
  inventory: Inventory;
  /** What this program is. */
  build: StationBuild;
  /** Those of the station's start. */
  firstGpus: readonly Gpu[];
}

/** Returns what `GET /system` shows, without asking anybody. An engine that is away has an empty version. */
export function systemInfo({ facts, architecture, inventory, build, firstGpus }: SystemInfoOptions): SystemInfo {
  const { cpu, memory, pageSize, os, gpus, compose } = facts;
  const infoOf = (type: EngineType) => inventory.view(type)?.info();
  const version = (type: EngineType): string => infoOf(type)?.version ?? "";
  const storageDriver = infoOf("docker")?.storageDriver ?? "";
  return {
    cpuCore: cpu.cores,
    cpuThread: cpu.threads,
    features: featuresOf(inventory, gpus),
    gpu: gpuAnswer(gpus),
    gpuchanged: JSON.stringify(gpus) !== JSON.stringify(firstGpus),
    hostname: os.hostname,
    isDevicemapper: storageDriver === "devicemapper",
    isSupportOverlay: os.overlay || storageDriver.startsWith("overlay"),
    machine: architecture,
    memory: memory.total,
    memoryPageSize: pageSize,
    migrationDir: "",
    migrationDmStatus: "",
    needRestart: os.restartRequired,
    platform: os.id,
    processor: cpu.model,
    status: "running",
    storageDriver,
    uncleanFS: os.uncleanFileSystem,
    version: {
      compose,
      dockerVersion: version("docker"),
      firmware: os.version,
      lxc: version("lxc"),
      lxd: version("lxd"),
      qpkg: build.version,
      qpkgBuildDate: build.date,
    },
  };
}

/** The features by which QNAP's documents say that the station has an engine; Docker is always there. */
const engineFeatures: Readonly<Record<EngineType, readonly string[]>> = { docker: [], lxc: ["lxc"], lxd: ["lxd"] };

function featuresOf(inventory: Inventory, gpus: readonly Gpu[]): string[] {
  const views = inventory.views();
  const engines = views.flatMap(({ engine }) => engineFeatures[engine.type]);
  const bridges = views.some(({ engine }) => engine.capabilities.local) ? ["net_bridge"] : [];
  return [...bridges, ...engines, ...(gpus.some(hasDriver) ? ["gpu"] : [])];
}

function hasDriver(gpu: Gpu): boolean {
  return gpu.driver !== "";
}

function gpuAnswer(gpus: readonly Gpu[]): SystemInfo["gpu"] {
  const driverInstalled = gpus.some(hasDriver);
  const device = gpus.map(({ slot, vendor, device, driver }) => ({ name: `${vendor}:${device}`, slot, driver }));
  return { csMode: driverInstalled, device, driverInstalled };
}
