import { existsSync } from "node:fs";
import { split } from "shlex";
import type { CreateRequest } from "../../api/create.ts";
import { findDevice } from "../../engines/device-table.ts";
import type { ContainerSpec, DeviceRule, Limits, PortMapping } from "../../engines/container-spec.ts";
import { type AppError, invalid } from "../../errors.ts";
import { type PlannedNetwork, planNetwork } from "./network-plan.ts";
import type { SharePath, Shares } from "../../shares/shares.ts";

export interface PlannedMount {
  /** The folder of a share. */
  folder: SharePath;
  /** Path in the container. */
  target: string;
  /** The container may only read it. */
  readOnly: boolean;
}

/**
 * A container that is to be made, without what is known only when the task runs: its image, its mark, its folders on the
 * host, and which network and other containers the names mean.
 */
export type ContainerPlan = Omit<ContainerSpec, "image" | "mark" | "mounts" | "network" | "links" | "volumesFrom"> & {
  mounts: readonly PlannedMount[];
  network: PlannedNetwork;
  /** The alias of each other container, by what the user calls that container. */
  links: Readonly<Record<string, string>>;
  /** The other containers, as the user calls them. */
  volumesFrom: readonly string[];
};

type Volume = NonNullable<CreateRequest["volume"]>;

const megabyte = 1 << 20;

/**
 * Returns what the engine is asked for, and checks all that the schema cannot. A field of the request that is not named
 * here reaches no engine. Throws `invalid` naming the field.
 */
export function planContainer(request: CreateRequest, shares: Shares): ContainerPlan {
  const { network = {}, resource = {}, volume = {} } = request;
  const ports = planPorts(network.port ?? []);
  const plan: ContainerPlan = {
    name: request.name,
    autostart: request.autostart ?? false,
    privileged: request.privileged ?? false,
    environment: request.environment ?? [],
    dns: network.dns ?? [],
    ports,
    exposedPorts: network.expose_port ?? [],
    links: planLinks(request.links ?? {}, network.mode || "nat"),
    network: planNetwork(network, ports),
    limits: planLimits(resource.limit ?? {}),
    devices: planDevices(resource.device ?? []),
    gpu: planGpu(request),
    ...planVolumes(volume, shares),
    volumesFrom: volume.container ?? [],
  };
  const entrypoint = planCommand(request.entrypoint, "entrypoint");
  const command = planCommand(request.command, "command");
  return {
    ...plan,
    ...(entrypoint && { entrypoint }),
    ...(command && { command }),
    ...(request.user && { user: request.user }),
    ...(request.working_dir && { workingDir: absolutePath(request.working_dir, "working_dir") }),
    ...(network.hostname && { hostname: network.hostname }),
    ...(network.mac_addr && { macAddress: unicast(network.mac_addr) }),
  };
}

/** Returns the words of a command; undefined if there are none. Throws `invalid` naming the field. */
export function planCommand(words: string | string[] | undefined, field: string): string[] | undefined {
  if (words === undefined) return undefined;
  const argv = typeof words === "string" ? splitWords(words, field) : words;
  if (argv.some((word) => word.includes("\0"))) throw invalid(field, "must not contain NUL");
  return argv.length > 0 ? argv : undefined;
}

function splitWords(text: string, field: string): string[] {
  try {
    return split(text);
  } catch {
    throw invalid(field, "has a quote that is not closed");
  }
}

function planPorts(ports: readonly (readonly [number, number, "tcp" | "udp"])[]): PortMapping[] {
  const seen = new Set<string>();
  return ports.map(([host, container, protocol], index) => {
    const key = `${host}/${protocol}`;
    if (seen.has(key)) throw invalid(`network.port[${index}]`, `gives host port ${key} a second time`);
    seen.add(key);
    return { host, container, protocol };
  });
}

function planLinks(links: Readonly<Record<string, string>>, mode: string): Record<string, string> {
  if (["host", "bridge"].includes(mode) && Object.keys(links).length > 0) throw noLinks();
  for (const name of Object.keys(links)) {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$/.test(name))
      throw invalid("links", "must be an object of container name to alias");
  }
  return { ...links };
}

/** Returns the refusal of links: Docker links containers on its own networks only. */
export function noLinks(): AppError {
  return invalid("links", "goes with network.mode nat, or a network of Docker, only");
}

function planLimits(limit: { cputime?: number; cpuweight?: number; memory?: string }): Limits {
  const megabytes = limit.memory === undefined ? undefined : Number.parseInt(limit.memory, 10);
  if (megabytes !== undefined && megabytes <= 64) throw invalid("resource.limit.memory", "must be more than 64m");
  return {
    ...(limit.cpuweight !== undefined && { cpuWeight: limit.cpuweight }),
    ...(limit.cputime !== undefined && { cpuTime: limit.cputime }),
    ...(megabytes !== undefined && { memory: megabytes * megabyte }),
  };
}

/**
 * Returns the rules of devices. Every device is denied at first; a `deny` only takes back an `allow` of the same device.
 */
function planDevices(devices: readonly (readonly ["allow" | "deny", string, string])[]): DeviceRule[] {
  const rules = new Map<string, DeviceRule>();
  for (const [index, [permission, name, access]] of devices.entries()) {
    const majors = findDevice(name);
    if (!majors)
      throw invalid(`resource.device[${index}][1]`, `is no device that can be given to a container: ${name}`);
    if (permission === "allow") rules.set(name, { majors, access });
    else rules.delete(name);
  }
  return [...rules.values()];
}

function planGpu({ gpu, resource }: CreateRequest): boolean {
  const asked = gpu === true || (resource?.gpu?.length ?? 0) > 0;
  if (!asked) return false;
  if (existsSync("/dev/nvidiactl") || existsSync("/dev/dri")) return true;
  throw invalid(gpu === true ? "gpu" : "resource.gpu", "cannot be given: this host has no GPU");
}

function planVolumes(volume: Volume, shares: Shares): Pick<ContainerPlan, "mounts" | "newVolumes"> {
  const targets = new Set<string>();
  const target = (path: string, field: string) => {
    const place = containerPath(path, field);
    if (targets.has(place)) throw invalid(field, `is used a second time: ${place}`);
    targets.add(place);
    return place;
  };
  const mounts = Object.entries(volume.host ?? {}).map(([path, { bind, ...access }]) => {
    const field = `volume.host["${path}"]`;
    return {
      folder: shares.parse(path, field),
      target: target(bind, `${field}.bind`),
      readOnly: isReadOnly(access, field),
    };
  });
  return { mounts, newVolumes: (volume.new ?? []).map((path, index) => target(path, `volume.new[${index}]`)) };
}

/** Tells whether a mount is read-only. Some clients send `rw` where QNAP's documents have `ro`. */
function isReadOnly({ ro, rw }: { ro?: boolean; rw?: boolean }, field: string): boolean {
  if (ro !== undefined && ro === rw) throw invalid(`${field}.rw`, `must be the opposite of ro, and both are ${ro}`);
  return ro ?? (rw === undefined ? false : !rw);
}

/** Returns a path in the container where something can be mounted. Throws `invalid`. */
function containerPath(path: string, field: string): string {
  const target = absolutePath(path, field);
  if (target === "/") throw invalid(field, "must not be the container's root");
  return target;
}

function absolutePath(path: string, field: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw invalid(field, "must not contain ..");
  return `/${parts.join("/")}`;
}

function unicast(address: string): string {
  if (/^[0:]+$/.test(address)) throw invalid("network.mac_addr", "must not be all zeros");
  if (Number.parseInt(address.slice(0, 2), 16) & 1)
    throw invalid("network.mac_addr", "must not be a multicast address");
  return address.toLowerCase();
}
