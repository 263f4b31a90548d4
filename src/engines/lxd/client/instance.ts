import { AppError } from "../../../errors.ts";
import type { Container } from "../../engine.ts";
import type { OwnerMark, PortMapping } from "../../container-spec.ts";
import { givenTo, macsOf } from "./instance-addresses.ts";
import type { LxdHttp } from "./http.ts";

/** The part of an instance that the station uses; as in LXD's API. */
export interface Instance {
  /** No other instance of the project has it. */
  name: string;
  /** Running, Stopped, Frozen, Error, or what it is on its way to. */
  status: string;
  /** Its own configuration, without what its profiles say. */
  config: Record<string, string>;
  /** The same with what its profiles say. */
  expanded_config?: Record<string, string>;
  /** Its devices by name, with those of its profiles. */
  expanded_devices?: Record<string, Record<string, string>>;
  /** 1970 = never started. */
  last_used_at: string;
  /** RFC 3339. */
  created_at?: string;
  /** As x86_64. */
  architecture?: string;
}

/** Keys of a container's configuration that are the station's. */
export const keys = {
  task: "user.gantry.task",
  image: "user.gantry.image",
  ports: "user.gantry.ports",
  mounts: "user.gantry.mounts",
  settings: "user.gantry.settings",
  /** What it was given after it was made, and LXD does not know. */
  shape: "user.gantry.shape",
  /** Its name, while its root goes from one pool to another, by a copy with a name of its own. */
  moving: "user.gantry.moving",
  /** Set on the first one once its copy is whole: what is left of it is no container any more. */
  leaving: "user.gantry.leaving",
} as const;

/** The name becomes the host name. */
const nameRule = /^(?=.{1,63}$)[a-zA-Z]([a-zA-Z0-9-]*[a-zA-Z0-9])?$/;

/** Returns whether LXD takes the name: at most 63 letters, digits and dashes, beginning with a letter. */
export function isInstanceName(name: string): boolean {
  return nameRule.test(name);
}

/** Returns the path of an instance in the API. */
export function instancePath(name: string): string {
  return `/1.0/instances/${name}`;
}

/** Returns the instance of this name; undefined when there is none, or none can have such a name. */
export async function findInstance(http: LxdHttp, name: string, signal?: AbortSignal): Promise<Instance | undefined> {
  return isInstanceName(name) ? http.find<Instance>(instancePath(name), signal) : undefined;
}

/** As `findInstance`, but throws `not_found` when there is no such instance. */
export async function requireInstance(http: LxdHttp, name: string, signal?: AbortSignal): Promise<Instance> {
  const instance = await findInstance(http, name, signal);
  if (!instance) throw new AppError("not_found", `LXD has no container ${name}.`);
  return instance;
}

/** Returns whether an instance has processes: it runs, is paused, or is on its way. */
export function isUp(instance: Instance): boolean {
  return instance.status !== "Stopped" && instance.status !== "Error";
}

/**
 * Returns whether an instance is what LXD keeps of a container whose creation it did not survive: a record without
 * files. What LXD has made to its end is to get its templates at its first start. Only of what a station has made:
 * others may come from a copy or a backup.
 */
export function looksUnfinished(instance: Instance): boolean {
  const { config } = instance;
  const unready = !wasStarted(instance) && config["volatile.apply_template"] === undefined;
  // After a move to another pool LXD does not know that it was started.
  if (config[keys.shape] !== undefined || config["volatile.last_state.power"] !== undefined) return false;
  return unready && readMark(config[keys.task]) !== undefined;
}

function wasStarted(instance: Instance): boolean {
  return new Date(instance.last_used_at).getTime() > 0;
}

/** Returns an instance as a container. `pid`: of its first process, 0 = it does not run. */
export function toContainer(instance: Instance, pid: number): Container {
  const { name, config } = instance;
  const mark = readMark(config[keys.task]);
  const imageId = config["volatile.base_image"] ?? "";
  return {
    id: name,
    incarnation: config["volatile.uuid"] ?? name,
    name,
    state: pid > 0 ? "running" : "stopped",
    image: config[keys.image] ?? imageId,
    imageId,
    ...(mark && { mark }),
    ports: readPorts(config[keys.ports]),
    ...readForward(instance),
    pid,
    ...(pid === 0 && wasStarted(instance) && { ended: true }),
    ...(pid > 0 && instance.status === "Frozen" && { paused: true }),
    mounts: readMounts(instance),
    macs: macsOf(instance),
    addresses: givenTo(instance),
    ...((instance.expanded_config ?? config)["security.privileged"] === "true" && { privileged: true }),
  };
}

/**
 * Returns where ports are forwarded to: the address that its card is given for life, or the first that this host has a
 * route to. A network of LXD's own has its bridge's name.
 */
function readForward({ expanded_devices: devices = {} }: Instance): Pick<Container, "forward"> {
  for (const { type, network, "ipv4.address": near, "ipv4.routes": routes = "" } of Object.values(devices)) {
    const address = near ?? /^\s*([\d.]+)\/32/.exec(routes)?.[1];
    if (type === "nic" && network && address) return { forward: { address, bridge: network } };
  }
  return {};
}

/**
 * Returns the folders of the host that an instance mounts: those of the raw configuration, and those of its disk
 * devices, whose source is a path; a pool has a name there.
 */
function readMounts({ config, expanded_devices: devices = {} }: Instance): string[] {
  const folders = Object.values(devices).flatMap(({ type, source = "" }) => (type === "disk" ? source : []));
  return [...readList(config[keys.mounts]), ...folders.filter((source) => source.startsWith("/"))];
}

function readList(value = "[]"): string[] {
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list.filter((entry) => typeof entry === "string") : [];
  } catch {
    return [];
  }
}

/** Returns the mark as the station's key has it: STATION/TASK. */
export function writeMark(mark: OwnerMark): string {
  return `${mark.station}/${mark.task}`;
}

function readMark(value: string | undefined): OwnerMark | undefined {
  const parts = /^([0-9a-zA-Z-]{1,64})\/(\d{1,15})$/.exec(value ?? "");
  return parts?.[1] && parts[2] ? { station: parts[1], task: Number(parts[2]) } : undefined;
}

/** Returns ports as the station's key has them: HOST:CONTAINER/PROTOCOL, separated by commas. */
export function writePorts(ports: readonly PortMapping[]): string {
  return ports.map(({ host, container, protocol }) => `${host}:${container}/${protocol}`).join(",");
}

function readPorts(value: string | undefined): PortMapping[] {
  return [...(value ?? "").matchAll(/(\d{1,5}):(\d{1,5})\/(tcp|udp)/g)].map(([, host, container, protocol]) => ({
    host: Number(host),
    container: Number(container),
    protocol: protocol as PortMapping["protocol"],
  }));
}
