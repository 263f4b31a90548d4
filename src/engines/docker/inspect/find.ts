import { hasCode } from "../../../errors.ts";
import type { Container, Containers } from "../../engine.ts";
import type { PortMapping, Protocol } from "../../container-spec.ts";
import { mapAtOnce } from "../../../util/concurrency.ts";
import type { DockerHttp } from "../client/http.ts";
import { readMark, taskLabel } from "../labels.ts";
import { containerName } from "../named-failures.ts";
import { readCards } from "./addresses.ts";
import { hasEnded, inspectByName, inspectContainer, type Inspected } from "../client/container.ts";

/** The part of the list that the station uses; see ContainerSummary in Docker's API 1.41. */
interface Summary {
  Id: string;
  Names: string[];
  Image: string;
  ImageID: string;
  State: string;
  Labels: Record<string, string> | null;
  Ports: { PublicPort?: number; PrivatePort: number; Type: string }[] | null;
}

/** Docker answers an inspect in milliseconds, or hangs on the container's lock. */
const inspectWithin = 5_000;
const inspectsAtOnce = 4;

/** Returns what finds the containers of one Docker. */
export function createFinder(http: DockerHttp): Pick<Containers, "list" | "getById" | "getByName"> {
  async function list(signal?: AbortSignal): Promise<Container[]> {
    const summaries = await http.json<Summary[]>({ path: "/containers/json", query: { all: "true" }, signal });
    // The list knows neither the process id nor the ports of what is stopped.
    const found = await mapAtOnce(summaries, inspectsAtOnce, (summary) => inspectOrSummary(summary, signal));
    return found.filter((container) => container !== undefined);
  }

  /**
   * Returns a container as inspected, or as listed where Docker cannot inspect it or hangs on it: one such container
   * must not hide all others.
   */
  async function inspectOrSummary(summary: Summary, signal?: AbortSignal): Promise<Container | undefined> {
    const late = AbortSignal.timeout(inspectWithin);
    try {
      return await getById(summary.Id, signal ? AbortSignal.any([signal, late]) : late);
    } catch (error) {
      signal?.throwIfAborted();
      if (hasCode(error, "engine_unavailable") && !late.aborted) throw error;
      return fromSummary(summary);
    }
  }

  async function getById(id: string, signal?: AbortSignal): Promise<Container | undefined> {
    const inspected = await inspectContainer(http, id, signal);
    return inspected && toContainer(inspected);
  }

  async function getByName(name: string, signal?: AbortSignal): Promise<Container | undefined> {
    const inspected = await inspectByName(http, name, signal);
    return inspected && toContainer(inspected);
  }

  return { list, getById, getByName };
}

function toContainer(inspected: Inspected): Container {
  const mark = readMark(inspected.Config.Labels?.[taskLabel]);
  return {
    id: inspected.Id,
    incarnation: inspected.Id,
    name: inspected.Name.replace(/^\//, ""),
    state: inspected.State.Running ? "running" : "stopped",
    image: inspected.Config.Image,
    imageId: inspected.Image,
    ...(mark && { mark }),
    ports: readPorts(inspected),
    pid: inspected.State.Running ? inspected.State.Pid : 0,
    ...(hasEnded(inspected) && { ended: true }),
    ...(inspected.State.Running && inspected.State.Paused && { paused: true }),
    mounts: (inspected.Mounts ?? []).filter(({ Type }) => Type === "bind").map(({ Source }) => Source),
    ...readCards(inspected),
    ...(inspected.HostConfig.Privileged === true && { privileged: true }),
  };
}

function fromSummary({ Id, Names, Image, ImageID, State, Labels, Ports }: Summary): Container {
  const mark = readMark(Labels?.[taskLabel]);
  const paused = State === "paused";
  const ports = new Map<string, PortMapping>();
  for (const { PublicPort = 0, PrivatePort, Type } of Ports ?? []) {
    if (Type === "tcp" || Type === "udp") addPort(ports, PublicPort, PrivatePort, Type);
  }
  return {
    id: Id,
    incarnation: Id,
    name: containerName(Names) ?? "",
    state: State === "running" || paused ? "running" : "stopped",
    image: Image,
    imageId: ImageID,
    ...(mark && { mark }),
    ports: [...ports.values()],
    pid: 0,
    ...(paused && { paused }),
    mounts: [],
  };
}

/** Returns the ports that were asked for at create, and, where Docker chose the host's port, the one that it chose. */
function readPorts(inspected: Inspected): PortMapping[] {
  const found = new Map<string, PortMapping>();
  for (const bindings of [inspected.HostConfig.PortBindings, inspected.NetworkSettings?.Ports]) {
    for (const [key, hosts] of Object.entries(bindings ?? {})) {
      const [container, protocol] = key.split("/");
      if (protocol !== "tcp" && protocol !== "udp") continue;
      for (const host of hosts ?? []) addPort(found, Number(host.HostPort), Number(container), protocol);
    }
  }
  return [...found.values()];
}

function addPort(found: Map<string, PortMapping>, host: number, container: number, protocol: Protocol): void {
  if (host > 0) found.set(`${host}/${container}/${protocol}`, { host, container, protocol });
}
