import { AppError, hasCode } from "../../../errors.ts";
import { reasonOf } from "../failures.ts";
import type { DockerHttp } from "./http.ts";

interface Binding {
  HostPort?: string;
}

/** The part of the list that a name is looked up in. */
export interface Listed {
  /** 64 hex digits. */
  Id: string;
  /** Its name and those of links to it, each with a slash in front. */
  Names: string[];
}

/** A network that the container is connected to; addresses are empty while it does not run. */
interface Endpoint {
  MacAddress?: string;
  IPAddress?: string;
  IPAMConfig?: { IPv4Address?: string } | null;
}

/** The part of an inspect that the station uses. */
export interface Inspected {
  /** 64 hex digits. */
  Id: string;
  /** The name with a slash in front. */
  Name: string;
  /** The image's id, as sha256:DIGITS. */
  Image: string;
  /** Whether it runs, its first process on Docker's host (0 = none), and its last start in RFC 3339. */
  State: { Running: boolean; Paused?: boolean; Pid: number; StartedAt?: string };
  /** What it was made with; `Image` as it was asked for. */
  Config: {
    Image: string;
    Hostname?: string;
    Tty?: boolean;
    MacAddress?: string;
    Labels: Record<string, string> | null;
  };
  /** Volumes and folders of the host; `RW`: writable. */
  Mounts?: { Type: string; Source: string; Destination: string; RW: boolean }[] | null;
  /** What it was made with of the host; CPU times in microseconds, memory in bytes, 0 = no limit. */
  HostConfig: {
    NetworkMode?: string;
    Privileged?: boolean;
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
  /** Ports and addresses that Docker has given it; empty while it does not run. */
  NetworkSettings?: {
    Ports?: Record<string, Binding[] | null> | null;
    Networks?: Record<string, Endpoint | null> | null;
  };
}

/**
 * Returns the container with exactly this id. Docker itself takes a full id, a name or the beginning of an id, in this
 * order, so what it returns may be another container.
 */
export async function inspectContainer(
  http: DockerHttp,
  id: string,
  signal?: AbortSignal,
): Promise<Inspected | undefined> {
  const found = await inspectAny(http, id, signal);
  return found !== "several" && found?.Id === id ? found : undefined;
}

/** Returns the container with exactly this name, also where Docker prefers another one whose id the name looks like. */
export async function inspectByName(
  http: DockerHttp,
  name: string,
  signal?: AbortSignal,
): Promise<Inspected | undefined> {
  const hasName = (one: Inspected | undefined): boolean => one?.Name === `/${name}`;
  const found = await inspectAny(http, name, signal);
  if (found === undefined || (found !== "several" && hasName(found))) return found;
  const listed = await http.json<Listed[]>({ path: "/containers/json", query: { all: "true" }, signal });
  const named = listed.find(({ Names }) => Names.includes(`/${name}`));
  const inspected = named && (await inspectContainer(http, named.Id, signal));
  return hasName(inspected) ? inspected : undefined;
}

/** Returns what Docker takes the text for; `several`: ids of several containers begin so. */
async function inspectAny(
  http: DockerHttp,
  text: string,
  signal: AbortSignal | undefined,
): Promise<Inspected | "several" | undefined> {
  try {
    return await http.json<Inspected>({ path: `${containerPath(text)}/json`, signal });
  } catch (error) {
    if (hasCode(error, "not_found")) return undefined;
    if (/multiple IDs found with provided prefix/i.test(reasonOf(error))) return "several";
    throw error;
  }
}

/** Returns the container with exactly this id, and throws `not_found` when there is none. */
export async function requireContainer(http: DockerHttp, id: string, signal?: AbortSignal): Promise<Inspected> {
  const found = await inspectContainer(http, id, signal);
  if (!found) throw new AppError("not_found", `Docker has no container ${id}.`);
  return found;
}

/** Returns the path of a container in the API. */
export function containerPath(id: string): string {
  return `/containers/${encodeURIComponent(id)}`;
}

/** Returns whether a container ran before and does not now. What never ran was started in the year 1. */
export function hasEnded({ State }: Inspected): boolean {
  return !State.Running && !(State.StartedAt ?? "0001-").startsWith("0001-");
}
