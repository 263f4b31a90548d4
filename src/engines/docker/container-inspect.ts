import { AppError, hasCode } from "../../errors.ts";
import type { DockerHttp } from "./http.ts";

interface Binding {
  HostPort?: string;
}

/** The part of an inspect that the station uses. */
export interface Inspected {
  Id: string;
  Name: string;
  Image: string;
  State: { Running: boolean; Paused?: boolean; Pid: number; StartedAt?: string };
  Config: { Image: string; Hostname?: string; Tty?: boolean; Labels: Record<string, string> | null };
  Mounts?: { Type: string; Source: string; Destination: string; RW: boolean }[] | null;
  HostConfig: {
    NetworkMode?: string;
    PortBindings: Record<string, Binding[] | null> | null;
    RestartPolicy?: { Name?: string };
    CpuShares?: number;
    CpuQuota?: number;
    CpuPeriod?: number;
    Memory?: number;
    DeviceCgroupRules?: string[] | null;
    VolumesFrom?: string[] | null;
    Binds?: string[] | null;
  };
  NetworkSettings?: { Ports?: Record<string, Binding[] | null> | null };
}

/** A name could be the beginning of another container's id, and Docker would take that one: then it is not there. */
export async function inspectContainer(
  http: DockerHttp,
  idOrName: string,
  signal?: AbortSignal,
): Promise<Inspected | undefined> {
  try {
    const found = await http.json<Inspected>({ path: `${containerPath(idOrName)}/json`, signal });
    return found.Id === idOrName || found.Name === `/${idOrName}` ? found : undefined;
  } catch (error) {
    if (hasCode(error, "not_found")) return undefined;
    throw error;
  }
}

/** The same, for a container that must be there. */
export async function requireContainer(http: DockerHttp, idOrName: string, signal?: AbortSignal): Promise<Inspected> {
  const found = await inspectContainer(http, idOrName, signal);
  if (!found) throw new AppError("not_found", `Docker has no container ${idOrName}.`);
  return found;
}

export function containerPath(idOrName: string): string {
  return `/containers/${encodeURIComponent(idOrName)}`;
}
