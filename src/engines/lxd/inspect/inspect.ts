import { toDockerPorts } from "../../shared/docker-ports.ts";
import type { Container, Containers } from "../../engine.ts";
import type { ContainerSettings, Limits } from "../../container-spec.ts";
import { architectureName } from "../../shared/host-architecture.ts";
import type { KeptLog } from "../../container-life.ts";
import { readConsole } from "./console.ts";
import type { LxdHttp } from "../client/http.ts";
import { type Instance, keys, requireInstance } from "../client/instance.ts";

/** Returns what can be read of a container beside its state. The calls throw `not_found`. */
export function createInspect(
  http: LxdHttp,
  getById: Containers["getById"],
): Pick<Containers, "logs" | "inspect" | "settings"> {
  async function settings(name: string, signal?: AbortSignal): Promise<ContainerSettings> {
    const instance = await requireInstance(http, name, signal);
    const { config } = instance;
    const given = readGiven(config[keys.settings]);
    return {
      autostart: isAutostart(instance),
      limits: limitsOf(config),
      ...given,
      volumesFrom: [],
      hostname: /^lxc\.uts\.name = (\S+)$/m.exec(config["raw.lxc"] ?? "")?.[1] ?? name,
      architecture: architectureName(instance.architecture ?? ""),
    };
  }

  async function inspect(name: string, signal?: AbortSignal): Promise<Record<string, unknown>> {
    const instance = await requireInstance(http, name, signal);
    const container = await getById(name, signal);
    const {
      ports,
      pid,
      paused = false,
    } = container ?? ({ ports: [], pid: 0 } as Pick<Container, "ports" | "pid" | "paused">);
    return {
      Id: name,
      Name: name,
      Created: instance.created_at ?? "",
      State: { Status: instance.status.toLowerCase(), Running: pid > 0, Paused: paused, Pid: pid },
      NetworkSettings: { Ports: toDockerPorts(ports) },
    };
  }

  async function logs(name: string, lines: number, signal?: AbortSignal): Promise<KeptLog> {
    await requireInstance(http, name, signal);
    return readConsole(http, name, lines, signal);
  }

  return { settings, inspect, logs };
}

/** Returns whether LXD starts a container when the host boots; a profile may say so, in any of LXD's words for true. */
export function isAutostart({ config, expanded_config: expanded = config }: Instance): boolean {
  return /^(?:true|1|yes|on)$/i.test(expanded["boot.autostart"] ?? "");
}

/** Returns the limits that an instance's configuration sets. */
export function limitsOf(config: Readonly<Record<string, string>>): Limits {
  const quota = /^(\d+)ms\/(\d+)ms$/.exec(config["limits.cpu.allowance"] ?? "");
  const weight = /^lxc\.cgroup\.cpu\.shares = (\d+)$/m.exec(config["raw.lxc"] ?? "")?.[1];
  const memory = Number(config["limits.memory"] ?? "");
  return {
    ...(weight !== undefined && { cpuWeight: Number(weight) }),
    ...(quota && { cpuTime: Math.round((Number(quota[1]) * 1000) / Number(quota[2])) }),
    ...(memory > 0 && { memory }),
  };
}

type Given = Pick<ContainerSettings, "mode" | "devices" | "mounts">;

/** Returns what the station wrote down at create: LXD's own configuration does not show it as it was asked for. */
function readGiven(value: string | undefined): Given {
  const none: Given = { mode: "nat", devices: [], mounts: [] };
  try {
    return { ...none, ...(JSON.parse(value ?? "{}") as Partial<Given>) };
  } catch {
    return none;
  }
}
