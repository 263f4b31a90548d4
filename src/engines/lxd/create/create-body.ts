import type { ContainerSpec, Limits, Mount } from "../../container-spec.ts";
import type { HostFacts } from "../../shared/host-devices.ts";
import { keys, writeMark, writePorts } from "../client/instance.ts";
import { rawConfig } from "./raw-config.ts";

type Device = Record<string, string>;

/** What the translation must know of the host and the engine. */
export interface CreateFacts extends HostFacts {
  /** The image's fingerprint: 64 hex digits. */
  fingerprint: string;
  /** The network device of LXD's default profile, by its name in there. */
  card: { device: string; config: Readonly<Record<string, string>> };
  /** On the network of `card`, for a container with ports. */
  address?: string | undefined;
  /** Its root device, when it is to have a size. */
  root: Readonly<Record<string, Device>>;
  /** The kernel can show folders of the host with the container's user IDs. */
  shift: boolean;
}

/** Returns a spec as the body of POST /1.0/instances in LXD's API. */
export function createBody(spec: ContainerSpec, facts: CreateFacts): Record<string, unknown> {
  return {
    name: spec.name,
    type: "container",
    source: { type: "image", fingerprint: facts.fingerprint },
    profiles: ["default"],
    config: config(spec, facts),
    devices: devices(spec, facts),
  };
}

function config(spec: ContainerSpec, { shift }: CreateFacts): Record<string, string> {
  const raw = rawConfig(spec, shift);
  return {
    [keys.task]: writeMark(spec.mark),
    [keys.image]: spec.image,
    [keys.settings]: JSON.stringify({ mode: spec.network.mode, devices: spec.devices, mounts: spec.mounts }),
    ...(spec.ports.length > 0 && { [keys.ports]: writePorts(spec.ports) }),
    ...(shift && !spec.privileged && spec.mounts.length > 0 && { [keys.mounts]: writeSources(spec.mounts) }),
    // Said in both cases: unsaid, LXD starts at boot what ran before.
    "boot.autostart": String(spec.autostart),
    // Said in both cases: a profile may say otherwise, and who asks for none must get none.
    "security.privileged": String(spec.privileged),
    ...limits(spec.limits),
    "raw.lxc": raw,
  };
}

function writeSources(mounts: readonly Mount[]): string {
  return JSON.stringify(mounts.map(({ source }) => source));
}

function limits({ cpuTime, memory }: Limits): Record<string, string> {
  return {
    ...(cpuTime !== undefined && { "limits.cpu.allowance": allowance(cpuTime) }),
    ...(memory !== undefined && { "limits.memory": String(memory) }),
  };
}

/**
 * Returns CPU time, in milliseconds of one core in each second, as `limits.cpu.allowance`. LXD takes whole
 * milliseconds. A short period is kinder to what runs inside; exact goes first.
 */
export function allowance(cpuTime: number): string {
  const exact = 1000 / greatestCommonDivisor(cpuTime, 1000);
  const period = exact * Math.ceil(100 / exact);
  return `${(cpuTime * period) / 1000}ms/${period}ms`;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function devices(spec: ContainerSpec, facts: CreateFacts): Record<string, Device> {
  // With the container's user IDs they are lines of the raw configuration.
  const plain = spec.privileged || !facts.shift ? spec.mounts : [];
  const mounts = plain.map(({ source, target, readOnly }): Device => {
    return { type: "disk", source, path: target, readonly: String(readOnly) };
  });
  const nodes = facts.nodes.map(({ path, kind }): Device => {
    return { type: kind === "c" ? "unix-char" : "unix-block", source: path, path };
  });
  return {
    ...facts.root,
    [facts.card.device]: card(spec, facts),
    ...numbered("gantry-mount", mounts),
    ...numbered("gantry-device", nodes),
    ...(spec.gpu && (facts.nvidia || facts.gpuNodes.length > 0) && { "gantry-gpu": { type: "gpu" } }),
  };
}

function card(spec: ContainerSpec, { card: profile, address }: CreateFacts): Device {
  const { network, macAddress } = spec;
  const mac = macAddress === undefined ? {} : { hwaddr: macAddress };
  if (network.mode !== "bridge") return { ...profile.config, ...mac, ...(address && { "ipv4.address": address }) };
  const nictype = network.join ? "bridged" : "macvlan";
  return { type: "nic", name: "eth0", nictype, parent: network.interface, ...mac };
}

function numbered(name: string, list: readonly Device[]): Record<string, Device> {
  return Object.fromEntries(list.map((device, index) => [`${name}-${index}`, device]));
}
