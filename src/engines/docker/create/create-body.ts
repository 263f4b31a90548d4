import type { ContainerSpec, DeviceRule, PortMapping } from "../../container-spec.ts";
import type { DeviceNode, HostFacts } from "../../shared/host-devices.ts";
import { networkLabel, taskLabel } from "../labels.ts";
import { lanLabel } from "../lan-label.ts";

/** What the translation must know of the host and the engine. */
export interface CreateFacts extends HostFacts {
  /** API version, as "1.41". */
  version: string;
}

const cpuPeriod = 100_000;

/** Returns a spec as the body of POST /containers/create in Docker's API 1.41. */
export function createBody(spec: ContainerSpec, facts: CreateFacts): Record<string, unknown> {
  const ports = portSets(spec);
  return {
    Image: spec.image,
    // A shell as first process stays up only with a terminal.
    Tty: true,
    OpenStdin: true,
    Env: spec.environment,
    Labels: labels(spec),
    ExposedPorts: ports.exposed,
    Volumes: Object.fromEntries(spec.newVolumes.map((path) => [path, {}])),
    ...present("Entrypoint", spec.entrypoint),
    ...present("Cmd", spec.command),
    ...present("User", spec.user),
    ...present("WorkingDir", spec.workingDir),
    ...present("Hostname", spec.hostname),
    ...macAddress(spec, facts.version),
    HostConfig: hostConfig(spec, facts, ports.bindings),
  };
}

/**
 * Returns Docker's NetworkMode. A LAN address is given after the start (network/lan.ts); Docker's own networks cannot
 * ask DHCP. A network is called by its name, because Docker gives no MAC address where it is called by its id.
 */
function networkMode({ network }: ContainerSpec): string {
  if (network.mode === "network") return network.name;
  return { bridge: "none", host: "host", nat: "bridge" }[network.mode];
}

function hostConfig(spec: ContainerSpec, facts: CreateFacts, bindings: object): Record<string, unknown> {
  const lan = spec.network.mode === "bridge";
  return {
    NetworkMode: networkMode(spec),
    PortBindings: lan ? {} : bindings,
    Privileged: spec.privileged,
    RestartPolicy: { Name: spec.autostart ? "always" : "no" },
    LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "10" } },
    // Mounts, never Binds: Binds would create a missing source, and a ":" would cut it.
    Mounts: spec.mounts.map((mount) => ({
      Type: "bind",
      Source: mount.source,
      Target: mount.target,
      ReadOnly: mount.readOnly,
      // A file system mounted below the folder is another share's, or nobody's; and it would stay writable.
      BindOptions: { NonRecursive: true },
    })),
    VolumesFrom: spec.volumesFrom,
    Links: spec.links.map(({ container, alias }) => `${container}:${alias}`),
    Dns: spec.dns,
    ...limits(spec),
    ...devices(spec, facts),
  };
}

function limits(spec: ContainerSpec): Record<string, number> {
  const { cpuWeight, cpuTime, memory } = spec.limits;
  return {
    ...(cpuWeight !== undefined && { CpuShares: cpuWeight }),
    ...(cpuTime !== undefined && { CpuPeriod: cpuPeriod, CpuQuota: cpuTime * 100 }),
    ...(memory !== undefined && { Memory: memory, MemorySwap: memory * 2 }),
  };
}

function devices(spec: ContainerSpec, facts: CreateFacts): Record<string, unknown> {
  const mapped = spec.devices.flatMap((rule) =>
    facts.nodes.filter((node) => covers(rule, node)).map((node) => deviceMapping(node.path, rule.access)),
  );
  const gpus = spec.gpu && !facts.nvidia ? facts.gpuNodes.map((path) => deviceMapping(path, "rwm")) : [];
  return {
    DeviceCgroupRules: spec.devices.flatMap((rule) =>
      rule.majors.map(({ kind, major }) => `${kind} ${major}:* ${rule.access}`),
    ),
    Devices: [...mapped, ...gpus],
    ...(spec.gpu && facts.nvidia && { DeviceRequests: [{ Driver: "nvidia", Count: -1, Capabilities: [["gpu"]] }] }),
  };
}

function covers(rule: DeviceRule, node: DeviceNode): boolean {
  return rule.majors.some(({ kind, major }) => kind === node.kind && major === node.major);
}

function deviceMapping(path: string, access: string): Record<string, string> {
  return { PathOnHost: path, PathInContainer: path, CgroupPermissions: access };
}

function labels(spec: ContainerSpec): Record<string, string> {
  const lan = lanLabel(spec);
  const mode = spec.network.mode === "network" ? spec.network.name : spec.network.mode;
  return {
    [taskLabel]: `${spec.mark.station}/${spec.mark.task}`,
    [networkLabel]: mode,
    "com.qnap.qcs.network.mode": mode,
    "com.qnap.qcs.gpu": spec.gpu ? "True" : "False",
    ...(lan !== undefined && { "gantry.lan": lan }),
  };
}

function portSets(spec: ContainerSpec): { exposed: Record<string, object>; bindings: Record<string, object[]> } {
  const bindings: Record<string, object[]> = {};
  for (const port of spec.ports) (bindings[portKey(port)] ??= []).push({ HostPort: String(port.host) });
  const keys = [...spec.exposedPorts.map((port) => `${port}/tcp`), ...Object.keys(bindings)];
  return { exposed: Object.fromEntries(keys.map((key) => [key, {}])), bindings };
}

function portKey(port: PortMapping): string {
  return `${port.container}/${port.protocol}`;
}

/**
 * Returns where Docker looks for the MAC address. From API 1.44 on it belongs to the network; both are sent, and must
 * agree.
 */
function macAddress(spec: ContainerSpec, version: string): Record<string, unknown> {
  const { network } = spec;
  if (spec.macAddress === undefined || (network.mode !== "nat" && network.mode !== "network")) return {};
  const endpoint = network.mode === "nat" ? "bridge" : network.name;
  const endpoints = { EndpointsConfig: { [endpoint]: { MacAddress: spec.macAddress } } };
  return { MacAddress: spec.macAddress, ...(Number(version.split(".")[1]) >= 44 && { NetworkingConfig: endpoints }) };
}

function present(key: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [key]: value };
}
