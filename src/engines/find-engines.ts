import { readFile, stat } from "node:fs/promises";

import { findProgram } from "../util/process/system-path.ts";
import { createDockerEngine } from "./docker/docker.ts";
import type { Engine, EngineType } from "./engine.ts";
import type { LxdOptions } from "./lxd/lxd.ts";
import { findLxdSocket } from "./lxd/client/find-socket.ts";
import type { SystemImages } from "./system-images/system-images.ts";

/** Which engines are looked for, and where. */
export interface FindEnginesOptions {
  /** Absent: all that are found. */
  engines: readonly EngineType[] | undefined;
  /** Docker's address, from the configuration. Absent: probed. */
  docker?: string | undefined;
  /** DOCKER_HOST. */
  dockerHost?: string | undefined;
  /** LXD's socket, from the configuration. Absent: probed. */
  lxdSocket?: string | undefined;
  /** Folder of the LXC containers. Absent: as LXC is configured. */
  lxcPath?: string | undefined;
  /** Address of the image server. */
  imageServer: string;
  /** The store that LXC's images come from, and LXD's where its server is not in reach. */
  systemImages: SystemImages;
  /** How the station downloads images for LXD, and where to. */
  fetching?: LxdOptions["fetching"];
}

/** Returns an engine, or undefined when there is none. `asked`: it is returned also when nothing is found. */
type Probe = (options: FindEnginesOptions, asked: boolean) => Promise<Engine | undefined>;

const probes: Readonly<Record<EngineType, Probe>> = { docker: probeDocker, lxc: probeLxc, lxd: probeLxd };

/**
 * Returns the engines of this host. The driver of an engine that is not installed is not loaded. An engine that does not answer
 * yet is returned too, and serves when it comes up.
 */
export async function findEngines(options: FindEnginesOptions): Promise<Engine[]> {
  const wanted = options.engines ?? (Object.keys(probes) as EngineType[]);
  const found = await Promise.all(wanted.map((type) => probes[type](options, options.engines !== undefined)));
  return found.filter((engine) => engine !== undefined);
}

const dockerSockets = ["/var/run/docker.sock", "/run/podman/podman.sock"] as const;

async function probeDocker(options: FindEnginesOptions): Promise<Engine> {
  return createDockerEngine({ address: await dockerAddress(options) });
}

/**
 * Returns where Docker listens, as unix:///path or tcp://host:port: as configured, else the first socket that is there.
 */
export async function dockerAddress(options: Pick<FindEnginesOptions, "docker" | "dockerHost">): Promise<string> {
  const address = options.docker ?? (options.dockerHost || undefined);
  if (address !== undefined) return address;
  for (const path of dockerSockets) {
    if (await isSocket(path)) return `unix://${path}`;
  }
  return `unix://${dockerSockets[0]}`;
}

async function probeLxc({ lxcPath, systemImages }: FindEnginesOptions, asked: boolean): Promise<Engine | undefined> {
  if (!asked && lxcPath === undefined && findProgram("lxc-start") === undefined) return undefined;
  const { createLxcEngine } = await import("./lxc/lxc.ts");
  return createLxcEngine({ path: lxcPath ?? (await configuredLxcPath()), images: systemImages });
}

async function probeLxd(options: FindEnginesOptions, asked: boolean): Promise<Engine | undefined> {
  const { lxdSocket, imageServer, systemImages, fetching } = options;
  const socket = lxdSocket ?? (await findLxdSocket());
  if (socket === undefined && !asked && findProgram("lxd") === undefined) return undefined;
  const { createLxdEngine } = await import("./lxd/lxd.ts");
  return createLxdEngine({
    socket: socket ?? "/var/lib/lxd/unix.socket",
    imageServer,
    systemImages,
    ...(fetching && { fetching }),
  });
}

/** Returns LXC's path as /etc/lxc/lxc.conf sets it, else its default. */
async function configuredLxcPath(): Promise<string> {
  const settings = await readFile("/etc/lxc/lxc.conf", "utf8").catch(() => "");
  return /^\s*lxc\.lxcpath\s*=\s*(\/\S*)\s*$/m.exec(settings)?.[1] ?? "/var/lib/lxc";
}

async function isSocket(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isSocket() ?? false;
}
