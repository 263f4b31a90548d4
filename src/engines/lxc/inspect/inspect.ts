import { stat } from "node:fs/promises";

import { readConsoleFile } from "../../shared/console-file.ts";
import { toDockerPorts } from "../../shared/docker-ports.ts";
import type { Container, Containers } from "../../engine.ts";
import type { ContainerSettings, Limits } from "../../container-spec.ts";
import { architectureName, hostArchitecture } from "../../shared/host-architecture.ts";
import type { KeptLog } from "../../container-life.ts";
import { readConfig, settingsOf } from "../files/config-file.ts";
import { notFound } from "../failures.ts";
import type { ContainerFacts, FactsStore } from "../files/container-facts.ts";
import type { Finder } from "./find.ts";
import type { Layout } from "../files/layout.ts";
import { locateRoot } from "../rootfs/root-location.ts";

interface Deps {
  layout: Layout;
  facts: FactsStore;
  finder: Finder;
}

/** Returns what can be read of a container beside its state. The calls throw `not_found`. */
export function createInspect({ layout, facts, finder }: Deps): Pick<Containers, "settings" | "logs" | "inspect"> {
  return {
    async settings(name, signal) {
      await finder.require(name, signal);
      const known = await facts.get(name);
      if (!known) throw notFound(name);
      return readSettings(layout, name, known);
    },
    async logs(name, lines, signal) {
      await finder.require(name, signal);
      return readConsole(layout, name, lines);
    },
    inspect: async (name, signal) => describe(await finder.require(name, signal)),
  };
}

/** Returns what the configuration says, and what the station wrote down at create where that says it otherwise. */
async function readSettings(layout: Layout, name: string, { station }: ContainerFacts): Promise<ContainerSettings> {
  const config = await readConfig(layout, name);
  const one = (key: string): string | undefined => settingsOf(config, key).at(-1);
  const arch = one("lxc.arch");
  return {
    autostart: isAutostart(one("lxc.start.auto")),
    limits: { ...limitsOf(one), ...(await sizeLimit(layout, name, config)) },
    devices: station?.given?.devices ?? [],
    mounts: station?.given?.mounts ?? [],
    volumesFrom: [],
    hostname: one("lxc.uts.name") ?? name,
    mode: station?.given?.mode ?? "nat",
    architecture: arch === undefined ? hostArchitecture() : architectureName(arch),
  };
}

/** Returns whether LXC starts a container when the host boots. `value`: of its setting `lxc.start.auto`. */
export function isAutostart(value: string | undefined): boolean {
  return value === "1";
}

/** Returns the limits that a configuration sets. `one`: returns the last value of a setting. */
export function limitsOf(one: (key: string) => string | undefined): Limits {
  const weight = number(one("lxc.cgroup.cpu.shares"));
  const [quota, period] = [one("lxc.cgroup.cpu.cfs_quota_us"), one("lxc.cgroup.cpu.cfs_period_us")].map(number);
  const memory = number(one("lxc.cgroup.memory.limit_in_bytes"));
  return {
    ...(weight > 0 && { cpuWeight: weight }),
    ...(quota && period && { cpuTime: Math.round((quota * 1000) / period) }),
    ...(memory > 0 && { memory }),
  };
}

/** Returns the size in bytes of the file that a container's root file system is in; {} where it is in no file. */
export async function sizeLimit(layout: Layout, name: string, config: string): Promise<Pick<Limits, "size">> {
  const place = locateRoot(layout, name, config);
  const file = place?.kind === "image" ? await stat(place.path).catch(() => undefined) : undefined;
  return file ? { size: file.size } : {};
}

function number(text: string | undefined): number {
  return Number(text ?? 0) || 0;
}

/** Returns the end of a console; nothing for a container that never ran. */
async function readConsole(layout: Layout, name: string, lines: number): Promise<KeptLog> {
  const file = settingsOf(await readConfig(layout, name), "lxc.console.logfile").at(-1);
  return (file !== undefined && (await readConsoleFile(file, lines))) || { text: "", truncated: false };
}

/** Returns a part of what Docker's inspect has, in its form. */
function describe({ name, ports, pid, ...more }: Container): Record<string, unknown> {
  const paused = more.paused ?? false;
  const status = pid === 0 ? "stopped" : paused ? "frozen" : "running";
  return {
    Id: name,
    Name: name,
    State: { Status: status, Running: pid > 0, Paused: paused, Pid: pid },
    HostConfig: { Privileged: more.privileged ?? false },
    NetworkSettings: { Ports: toDockerPorts(ports) },
  };
}
