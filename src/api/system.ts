import { type Static, Type } from "typebox";

/** The state of the station and of its engines. */
export const Health = Type.Object({
  status: Type.Literal("ok"),
  engines: Type.Array(Type.Object({ type: Type.String(), available: Type.Boolean() })),
});

const Gpu = Type.Object({
  name: Type.String({ description: "Vendor and device number of the PCI bus, as 0x10de:0x1eb8" }),
  slot: Type.String(),
  driver: Type.String({ description: "Kernel module; empty without one" }),
});

export const SystemInfo = Type.Object({
  cpuCore: Type.Integer(),
  cpuThread: Type.Integer(),
  features: Type.Array(Type.String()),
  gpu: Type.Object({
    csMode: Type.Boolean({ description: "Containers can be given a GPU" }),
    device: Type.Array(Gpu),
    driverInstalled: Type.Boolean(),
  }),
  gpuchanged: Type.Boolean({ description: "There are other GPUs than at the station's start" }),
  hostname: Type.String(),
  isDevicemapper: Type.Boolean(),
  isSupportOverlay: Type.Boolean(),
  machine: Type.String({ description: "As amd64; empty if unknown" }),
  memory: Type.Integer({ description: "kB" }),
  memoryPageSize: Type.Integer({ description: "Bytes" }),
  migrationDir: Type.String(),
  migrationDmStatus: Type.String(),
  needRestart: Type.Boolean({ description: "An update waits for a restart of the host" }),
  platform: Type.String({ description: "Operating system, as debian" }),
  processor: Type.String(),
  status: Type.Literal("running"),
  storageDriver: Type.String({ description: "Docker's; empty while it does not answer" }),
  uncleanFS: Type.Boolean(),
  version: Type.Object({
    compose: Type.String(),
    dockerVersion: Type.String(),
    firmware: Type.String({ description: "Of the operating system" }),
    lxc: Type.String(),
    lxd: Type.String(),
    qpkg: Type.String({ description: "Of the station" }),
    qpkgBuildDate: Type.String({ description: "YYYY/MM/DD" }),
  }),
});
export type SystemInfo = Static<typeof SystemInfo>;

export const SystemResource = Type.Object({
  cpu_usage: Type.String({
    description: "Percent of all processors, with one decimal, of the last quarter of a second",
  }),
  memory_usage: Type.Object(
    {
      buffers: Type.Integer(),
      cached: Type.Integer(),
      percent: Type.Integer(),
      percent_buffers: Type.Integer(),
      percent_cached: Type.Integer(),
      total: Type.Integer(),
      used: Type.Integer({ description: "Without buffers and cache" }),
    },
    { description: "MB, and whole percents" },
  ),
});
export type SystemResource = Static<typeof SystemResource>;

/** A port of this host. */
export const PortPath = Type.Object({
  protocol: Type.Union([Type.Literal("tcp"), Type.Literal("udp")]),
  port: Type.String({ pattern: "^[0-9]{1,5}$", description: "A number from 1 to 65535" }),
});

export const PortUse = Type.Object({ used: Type.Boolean() });
export type PortUse = Static<typeof PortUse>;

export const BridgeList = Type.Object({
  data: Type.Array(
    Type.Object({
      bridge: Type.Union([Type.String(), Type.Null()], { description: "The bridge that an adapter is part of" }),
      disabled: Type.Boolean({ description: "Not to be used: an engine's own network" }),
      display: Type.String(),
      gateway: Type.String(),
      interface: Type.String({ description: "What network.interface of a create takes" }),
      ip: Type.String(),
      join: Type.Boolean({ description: "Containers join this bridge" }),
      name: Type.String(),
      netmask: Type.String(),
      vswitchName: Type.String({ description: "The bridge; empty without one" }),
    }),
  ),
  default: Type.Integer({ description: "Index into data" }),
});
export type BridgeList = Static<typeof BridgeList>;
