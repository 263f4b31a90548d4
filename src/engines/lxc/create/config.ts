import type { ContainerSpec, Limits } from "../../container-spec.ts";
import {
  addressLines,
  deviceLines,
  joinLines,
  memoryLines,
  mountLine,
  quotaLines,
  weightLines,
} from "../../shared/lxc-config.ts";
import { idMapLines, type IdRange } from "../id-map/id-range.ts";
import { folderName, imageName } from "../files/layout.ts";
import { rootHookLines } from "../rootfs/mount-hooks.ts";

/** What the translation must know of the host, the image and the place. */
export interface ConfigFacts {
  /** The container's folder, once it is whole. */
  home: string;
  /** As x86_64. */
  architecture: string;
  /** LXC's own bridge. */
  bridge: string;
  /** The MAC address of its network card, as 00:16:3e:aa:00:01. */
  mac: string;
  /** The address that a container with ports keeps for life, with prefix length, and the bridge's own address. */
  address?: { address: string; gateway: string } | undefined;
  /** Paths in the image, without links, on which the mounts of the spec go, in their order. */
  mountPoints: readonly string[];
  /** Nodes of the spec's devices and GPUs that exist on the host, by their path in the container. */
  nodes: readonly DeviceSource[];
  /** Devices of GPUs, as `c 226:*`. */
  gpuDevices: readonly string[];
  /** The image's first process is systemd, which ends by another signal; see systemd(1). */
  systemd: boolean;
  /** The kernel counts swap. */
  swap: boolean;
  /** Absent: the container is privileged. */
  ids?: GivenIds | undefined;
}

/** A device node of a container. */
export interface DeviceSource {
  /** As /dev/video0. */
  path: string;
  /** The node of the host that is mounted there. */
  source: string;
}

/** The user ids that a container is given. */
export interface GivenIds {
  /** Ids of the host that its users have. */
  range: IdRange;
  /** LXC mounts the root file system with these ids as owners; else it has them on the disk. */
  mappedByMount: boolean;
}

const common = "/usr/share/lxc/config/common.conf";

/** Returns a spec as LXC's configuration; see lxc.container.conf(5). Nothing but what stands here gets into it. */
export function containerConfig(spec: ContainerSpec, facts: ConfigFacts): string {
  return joinLines([
    `lxc.include = ${common}`,
    `lxc.arch = ${facts.architecture}`,
    ...rootLines(spec.limits, facts),
    ...(facts.ids ? idMapLines(facts.ids.range) : []),
    `lxc.uts.name = ${spec.hostname ?? spec.name}`,
    // Without AppArmor in the kernel it means nothing.
    "lxc.apparmor.profile = generated",
    "lxc.apparmor.allow_nesting = 1",
    ...(facts.systemd ? ["lxc.signal.halt = SIGRTMIN+3"] : []),
    ...logs(facts.home),
    ...(spec.autostart ? ["lxc.start.auto = 1", "lxc.group = onboot"] : []),
    ...card(spec, facts),
    ...limits(spec.limits, facts.swap),
    ...devices(spec, facts),
    ...mounts(spec, facts),
  ]);
}

/** Returns where the root file system is: with a size in a file of its own. */
function rootLines({ size }: Limits, { home, ids }: ConfigFacts): string[] {
  if (!ids)
    return [`lxc.rootfs.path = ${size === undefined ? `dir:${home}/${folderName}` : `loop:${home}/${imageName}`}`];
  return [
    `lxc.rootfs.path = dir:${home}/${folderName}`,
    // The device nodes of an image are none of the container's.
    `lxc.rootfs.options = ${ids.mappedByMount ? "idmap=container,nodev" : "nodev"}`,
    // LXC cannot move its terminals into a folder below /dev there.
    "lxc.tty.dir =",
    ...(size === undefined ? [] : rootHookLines()),
  ];
}

function logs(home: string): string[] {
  return [
    `lxc.console.logfile = ${home}/console.log`,
    "lxc.console.buffer.size = 64kB",
    "lxc.console.size = 1MB",
    // What came before goes to a second file, and is not thrown away.
    "lxc.console.rotate = 1",
    `lxc.log.file = ${home}/lxc.log`,
    "lxc.log.level = WARN",
  ];
}

function card(spec: ContainerSpec, { bridge, mac, address }: ConfigFacts): string[] {
  const { network } = spec;
  const lan = network.mode === "bridge" ? network : undefined;
  const direct = lan !== undefined && !lan.join;
  const given = lan?.address.by === "static" ? lan.address : address;
  return [
    `lxc.net.0.type = ${direct ? "macvlan" : "veth"}`,
    ...(direct ? ["lxc.net.0.macvlan.mode = bridge"] : []),
    `lxc.net.0.link = ${lan?.interface ?? bridge}`,
    "lxc.net.0.name = eth0",
    "lxc.net.0.flags = up",
    `lxc.net.0.hwaddr = ${mac}`,
    ...(given ? addressLines(given.address, given.gateway) : []),
  ];
}

function limits({ cpuWeight, cpuTime, memory }: Limits, swap: boolean): string[] {
  return [
    ...(cpuWeight === undefined ? [] : weightLines(cpuWeight)),
    ...(cpuTime === undefined ? [] : quotaLines(cpuTime)),
    ...(memory === undefined ? [] : memoryLines(memory, swap)),
  ];
}

function devices(spec: ContainerSpec, { nodes, gpuDevices }: ConfigFacts): string[] {
  const rules = spec.devices.flatMap(({ majors, access }) =>
    majors.map(({ kind, major }) => `${kind} ${major}:* ${access}`),
  );
  return [
    ...[...rules, ...gpuDevices.map((device) => `${device} rwm`)].flatMap((device) => deviceLines("allow", device)),
    // A device that is not plugged in at a later start is left out.
    ...nodes.map(({ path, source }) => mountLine(source, path.slice(1), ["bind", "optional", "create=file"])),
  ];
}

/** Returns the mounts, with what is mounted on a folder of another mount after that one. */
function mounts(spec: ContainerSpec, { mountPoints, ids }: ConfigFacts): string[] {
  const all = spec.mounts.map((mount, index) => ({ ...mount, point: mountPoints[index] as string }));
  return all
    .toSorted((a, b) => a.point.split("/").length - b.point.split("/").length)
    .map(({ source, point, readOnly }) => {
      // A folder of the image is there already, and its making by LXC would follow links.
      const made = point.startsWith("/dev/") ? ["create=dir"] : [];
      const owners = ids ? ["idmap=container"] : [];
      return mountLine(source, point.slice(1), ["bind", ...(readOnly ? ["ro"] : []), ...made, ...owners]);
    });
}
