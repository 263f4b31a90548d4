/**
 * The station and the task that made a thing. An engine keeps it with the thing (a label, a config key, a file), and whatever
 * is undone is first looked up by it, never by name alone.
 */
export interface OwnerMark {
  /** The station's own id, a UUID. */
  station: string;
  /** The task's id. */
  task: number;
}

/** What a port carries. */
export type Protocol = "tcp" | "udp";

/** A port of the host that leads to a port of a container. */
export interface PortMapping {
  /** The port of the host, 1 to 65535. */
  host: number;
  /** The port of the container, 1 to 65535. */
  container: number;
  /** What is forwarded. */
  protocol: Protocol;
}

/** A rule for the device cgroup: all minors of the majors. */
export interface DeviceRule {
  /** Kinds and major numbers of the kernel; `c` = character device, `b` = block device. */
  majors: readonly { kind: "c" | "b"; major: number }[];
  /** One or more of r, w, m. */
  access: string;
}

/** A folder of the host that a container sees. */
export interface Mount {
  /** Absolute path on the host; it exists, and no part of it is a link. */
  source: string;
  /** Absolute path in the container. */
  target: string;
  /** The container cannot write to it. */
  readOnly: boolean;
}

/** What a container may use at most; what is absent is not limited. */
export interface Limits {
  /** Relative share of CPU time, 2 to 1024. */
  cpuWeight?: number;
  /** Milliseconds of one core in each second. */
  cpuTime?: number;
  /** Bytes. */
  memory?: number;
  /** Bytes of its root file system, which cannot grow beyond. Only with `sizes`. */
  size?: number;
}

/** Where a container's network card is. */
export type NetworkMode =
  /** Behind the engine's own bridge. */
  | { mode: "nat" }
  /** The host's own network. */
  | { mode: "host" }
  /** An address on the network that `interface` is in; `join` = that interface is a bridge, and is joined. */
  | { mode: "bridge"; interface: string; join: boolean; address: LanAddress }
  /** A network of the engine's own; no other has its name. */
  | { mode: "network"; name: string };

/** Where a container's address on the LAN comes from. */
export type LanAddress =
  | { by: "dhcp" }
  /** `address` with prefix length, as 192.168.1.20/24. */
  | { by: "static"; address: string; gateway?: string };

/** Lets a container reach another one by a name of its own. */
export interface Link {
  /** The other container's id, in full. */
  container: string;
  /** The name by which it is reached. */
  alias: string;
}

/** A container to be made. Everything is checked already; the driver only translates. */
export interface ContainerSpec {
  /** No other container of the engine has it, or creating it is a `conflict`. */
  name: string;
  /** As the engine names it: for docker `repository:tag`, for lxd an alias or a fingerprint. The image is present. */
  image: string;
  /** Kept with the container. */
  mark: OwnerMark;
  /** Says whether it starts when the host boots. */
  autostart: boolean;
  /** Root in the container is root of the host. */
  privileged: boolean;
  /** Absent = the image's own. */
  entrypoint?: readonly string[];
  /** Arguments of the entry point. Absent = the image's own. */
  command?: readonly string[];
  /** Name or number of its first process's user, with or without `:group`. Absent = the image's own. */
  user?: string;
  /** An absolute path. Absent = the image's own. */
  workingDir?: string;
  /** Absent = the engine's choice. */
  hostname?: string;
  /** As 00:16:3e:aa:00:01. Absent = the engine's or the driver's choice. */
  macAddress?: string;
  /** NAME=VALUE. */
  environment: readonly string[];
  /** Addresses of name servers. Only with `nameServers`; [] = the engine's own. */
  dns: readonly string[];
  /** Ports of the host that lead to it; see `publishedPorts`. */
  ports: readonly PortMapping[];
  /** TCP ports that it says it serves; nothing leads there. */
  exposedPorts: readonly number[];
  /** Other containers that it reaches by name. Only with `engineVolumes`. */
  links: readonly Link[];
  /** Where its network card is. */
  network: NetworkMode;
  /** What is absent is not limited. */
  limits: Limits;
  /** Devices of the host that it may use beside the usual ones. */
  devices: readonly DeviceRule[];
  /** Give every GPU of the host. */
  gpu: boolean;
  /** Folders of the host that it sees. */
  mounts: readonly Mount[];
  /** Mounts all volumes of the containers with these ids. */
  volumesFrom: readonly string[];
  /** Paths that get a new, empty volume. */
  newVolumes: readonly string[];
}

/** What a container was given, as far as the engine still knows; an architecture as amd64. */
export type ContainerSettings = Pick<ContainerSpec, "autostart" | "limits" | "devices" | "mounts"> & {
  /** Ids, or names where the container was made by another program. */
  volumesFrom: readonly string[];
  hostname: string;
  /** `nat`, `host`, `bridge`, or the name of a network of the engine's own. */
  mode: string;
  architecture: string;
};
