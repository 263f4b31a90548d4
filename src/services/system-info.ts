import type { SystemInfo } from "../api/system.ts";
import type { EngineInfo, EngineType } from "../engines/engine.ts";
import type { Gpu } from "../host/gpu.ts";
import type { Host } from "../host/host.ts";
import type { Inventory } from "../inventory/inventory.ts";

export interface StationBuild {
  version: string;
  /** YYYY/MM/DD */
  date: string;
}

export interface SystemInfoDeps {
  host: Host;
  inventory: Inventory;
  build: StationBuild;
  /** Those of the station's start. */
  firstGpus: Promise<readonly Gpu[]>;
}

/** What `GET /system` answers. An engine that is away has an empty version. */
export async function readSystemInfo({ host, inventory, build, firstGpus }: SystemInfoDeps): Promise<SystemInfo> {
  const [cpu, memory, pageSize, os] = await Promise.all([host.cpu(), host.memory(), host.pageSize(), host.os()]);
  const [gpus, before, engines] = await Promise.all([host.gpus(), firstGpus, engineInfos(inventory)]);
  const storageDriver = engines.get("docker")?.storageDriver ?? "";
  const version = (type: EngineType): string => engines.get(type)?.version ?? "";
  return {
    cpuCore: cpu.cores,
    cpuThread: cpu.threads,
    features: featuresOf(inventory, gpus),
    gpu: shownGpus(gpus),
    gpuchanged: JSON.stringify(gpus) !== JSON.stringify(before),
    hostname: os.hostname,
    isDevicemapper: storageDriver === "devicemapper",
    isSupportOverlay: os.overlay || storageDriver.startsWith("overlay"),
    machine: host.architecture(),
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
      compose: await host.composeVersion(),
      dockerVersion: version("docker"),
      firmware: os.version,
      lxc: version("lxc"),
      lxd: version("lxd"),
      qpkg: build.version,
      qpkgBuildDate: build.date,
    },
  };
}

async function engineInfos(inventory: Inventory): Promise<Map<EngineType, EngineInfo>> {
  const infos = new Map<EngineType, EngineInfo>();
  const present = inventory.views().filter((view) => view.available());
  await Promise.all(
    present.map(async ({ engine }) => {
      const info = await engine.info().catch(() => undefined);
      if (info) infos.set(engine.type, info);
    }),
  );
  return infos;
}

function featuresOf(inventory: Inventory, gpus: readonly Gpu[]): string[] {
  const views = inventory.views();
  const engines = views.filter(({ engine }) => engine.type !== "docker").map(({ engine }) => engine.type);
  const bridges = views.some(({ engine }) => engine.capabilities.local) ? ["net_bridge"] : [];
  return [...bridges, ...engines, ...(gpus.some(isDriven) ? ["gpu"] : [])];
}

function isDriven(gpu: Gpu): boolean {
  return gpu.driver !== "";
}

function shownGpus(gpus: readonly Gpu[]): SystemInfo["gpu"] {
  const driverInstalled = gpus.some(isDriven);
  const device = gpus.map(({ slot, vendor, device, driver }) => ({ name: `${vendor}:${device}`, slot, driver }));
  return { csMode: driverInstalled, device, driverInstalled };
}
