import { hasCode } from "../../../errors.ts";
import type { ContainerSettings, DeviceRule, Limits } from "../../container-spec.ts";
import { hostArchitecture } from "../../shared/host-architecture.ts";
import { requireContainer, type Inspected } from "../client/container.ts";
import { networkLabel } from "../labels.ts";
import type { DockerHttp } from "../client/http.ts";

/** Returns what a container was asked for at create, or changed to since, from an inspect. Throws `not_found`. */
export async function readSettings(http: DockerHttp, id: string, signal?: AbortSignal): Promise<ContainerSettings> {
  const inspected = await requireContainer(http, id, signal);
  const { Config, HostConfig, Mounts } = inspected;
  const bound = (Mounts ?? []).filter(({ Type }) => Type === "bind");
  return {
    autostart: isAutostart(HostConfig.RestartPolicy),
    limits: limitsOf(HostConfig),
    devices: (HostConfig.DeviceCgroupRules ?? []).flatMap(readRule),
    mounts: bound.map(({ Source, Destination, RW }) => ({ source: Source, target: Destination, readOnly: !RW })),
    volumesFrom: (HostConfig.VolumesFrom ?? []).map((entry) => entry.replace(/:r[ow]$/, "")),
    hostname: Config.Hostname ?? "",
    mode: modeOf(inspected),
    architecture: await architectureOf(http, inspected.Image, signal),
  };
}

/** Returns whether Docker starts a container with this restart policy by itself. */
export function isAutostart(policy: Inspected["HostConfig"]["RestartPolicy"]): boolean {
  return !["", "no"].includes(policy?.Name ?? "");
}

/** Returns the limits of a container; Docker writes 0 for none. */
function limitsOf({ CpuShares, CpuQuota = 0, CpuPeriod, Memory }: Inspected["HostConfig"]): Limits {
  return {
    ...(CpuShares && { cpuWeight: CpuShares }),
    ...(CpuQuota > 0 && { cpuTime: Math.round((CpuQuota * 1000) / (CpuPeriod || 100_000)) }),
    ...(Memory && { memory: Memory }),
  };
}

/** Returns a rule of the device cgroup, which Docker keeps as "c 81:* rwm". */
function readRule(line: string): DeviceRule[] {
  const parts = /^([cb]) (\d+):\* ([rwm]+)$/.exec(line);
  if (!parts?.[1] || !parts[3]) return [];
  return [{ majors: [{ kind: parts[1] as "c" | "b", major: Number(parts[2]) }], access: parts[3] }];
}

/**
 * Returns the network mode that was asked for. A LAN address is given from outside, so Docker itself knows of no
 * network then; of its own networks it knows the id.
 */
function modeOf({ Config, HostConfig }: Inspected): string {
  const { NetworkMode = "" } = HostConfig;
  if (NetworkMode === "host") return "host";
  // An image can bring any label.
  const named = Config.Labels?.[networkLabel] ?? "";
  const isNamed = named !== "" && !["", "default", "bridge", "none"].includes(NetworkMode);
  return isNamed || named === "bridge" ? named : "nat";
}

/**
 * Returns the architecture of an image, or this host's: an image may be removed by force while its container is still
 * there.
 */
async function architectureOf(http: DockerHttp, image: string, signal?: AbortSignal): Promise<string> {
  try {
    const { Architecture } = await http.json<{ Architecture?: string }>({ path: `/images/${image}/json`, signal });
    return Architecture || hostArchitecture();
  } catch (error) {
    if (hasCode(error, "not_found")) return hostArchitecture();
    throw error;
  }
}
