import { setTimeout as delay } from "node:timers/promises";

import { AppError, hasCode } from "../../errors.ts";
import type { Container, ContainerSpec, Containers, OwnerMark, PortMapping, Protocol } from "../engine.ts";
import { hostFacts } from "../shared/host-devices.ts";
import type { RemoveOptions } from "../container-life.ts";
import { containerPath, inspectByName, inspectContainer, requireContainer, type Inspected } from "./inspect/inspect.ts";
import { createBody, taskLabel } from "./create/create-body.ts";
import { createFailure, idIn, notDone, reasonOf, startFailure } from "./failures.ts";
import type { DockerHttp } from "./client/http.ts";
import { killLeftovers } from "./lifecycle/leftovers.ts";
import { noReshaping } from "../shape.ts";
import { createLife } from "./lifecycle/lifecycle.ts";
import { ownName } from "./named-failures.ts";
import { readCards } from "./network/container-addresses.ts";
import { readSettings } from "./inspect/settings.ts";

/** The part of the list that the station uses. */
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
const removalPoll = 100;
/** What containerd says when a start that a dying dockerd left half done is not cleared away yet. */
const leftoverInTheWay = /id already in use|failed to start shim: mkdir \S+: file exists/;
const startTries = 20;
const leftoverPause = 100;

export function createContainers(http: DockerHttp): Containers {
  const isLocal = http.address.startsWith("unix:");

  async function list(signal?: AbortSignal): Promise<Container[]> {
    const summaries = await http.json<Summary[]>({ path: "/containers/json", query: { all: "true" }, signal });
    const queue = summaries.values();
    const found = new Map<string, Container>();
    // The list knows neither the process id nor the ports of what is stopped.
    async function work(): Promise<void> {
      for (const summary of queue) {
        const container = await inspectOrSummary(summary);
        if (container) found.set(summary.Id, container);
      }
    }
    /** One container that Docker cannot inspect, or hangs on, must not hide all others: the list's own words are taken. */
    async function inspectOrSummary(summary: Summary): Promise<Container | undefined> {
      const late = AbortSignal.timeout(inspectWithin);
      try {
        return await getById(summary.Id, signal ? AbortSignal.any([signal, late]) : late);
      } catch (error) {
        signal?.throwIfAborted();
        if (hasCode(error, "engine_unavailable") && !late.aborted) throw error;
        return ofSummary(summary);
      }
    }
    await Promise.all(Array.from({ length: inspectsAtOnce }, work));
    return summaries.flatMap(({ Id }) => found.get(Id) ?? []);
  }

  async function getById(id: string, signal?: AbortSignal): Promise<Container | undefined> {
    const inspected = await inspectContainer(http, id, signal);
    return inspected && toContainer(inspected);
  }

  async function getByName(name: string, signal?: AbortSignal): Promise<Container | undefined> {
    const inspected = await inspectByName(http, name, signal);
    return inspected && toContainer(inspected);
  }

  async function create(spec: ContainerSpec, signal?: AbortSignal): Promise<string> {
    if (spec.network.mode === "bridge" && !isLocal) {
      throw new AppError("unsupported", "Network mode bridge needs a Docker on this host.");
    }
    const facts = { ...(await hostFacts(spec)), version: await http.version() };
    const body = createBody(spec, facts);
    try {
      const made = await http.json<{ Id: string }>({
        method: "POST",
        path: "/containers/create",
        query: { name: spec.name },
        body,
        signal,
      });
      return idIn(made, `made container ${spec.name}`);
    } catch (error) {
      throw createFailure(error, spec.name, spec.image);
    }
  }

  /** It may have ended by now, and be gone with its end. */
  async function assertStarted(id: string, signal?: AbortSignal): Promise<void> {
    const inspected = await inspectContainer(http, id, signal);
    if (inspected && !inspected.State.Running && !hasEnded(inspected)) throw notDone(`started container ${id}`);
  }

  async function start(id: string, signal?: AbortSignal): Promise<void> {
    await requireContainer(http, id, signal);
    for (let tries = startTries; ; tries--) {
      try {
        await http.json({ method: "POST", path: `${containerPath(id)}/start`, signal });
        return await assertStarted(id, signal);
      } catch (error) {
        if (tries === 0 || !isLocal || !leftoverInTheWay.test(reasonOf(error))) throw startFailure(error);
        await killLeftovers(id);
        await delay(leftoverPause);
      }
    }
  }

  async function kill(id: string, signal?: AbortSignal): Promise<void> {
    if (!(await inspectContainer(http, id, signal))) return;
    await http.json({ method: "POST", path: `${containerPath(id)}/stop`, query: { t: "0" }, signal });
  }

  async function remove(id: string, { keepVolumes = false, signal }: RemoveOptions = {}): Promise<void> {
    if (!(await inspectContainer(http, id, signal))) return;
    const query = { force: "true", v: String(!keepVolumes) };
    try {
      await http.json({ method: "DELETE", path: containerPath(id), query, signal });
    } catch (error) {
      if (hasCode(error, "not_found")) return;
      if (!/removal of container .* is already in progress/i.test(reasonOf(error))) throw error;
      await untilGone(id, signal);
    }
    if (isLocal) await killLeftovers(id);
  }

  async function untilGone(id: string, signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + 60_000;
    while (await getById(id, signal)) {
      if (performance.now() > deadline)
        throw new AppError("engine_failed", `Docker has been removing container ${id} for a minute.`);
      await delay(removalPoll);
    }
  }

  const settings = (id: string, signal?: AbortSignal) => readSettings(http, id, signal);
  return {
    list,
    getById,
    getByName,
    create,
    start,
    kill,
    remove,
    settings,
    ...createLife(http),
    ...noReshaping("Docker"),
  };
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

/** What never ran was started in the year 1. */
function hasEnded({ State }: Inspected): boolean {
  return !State.Running && !(State.StartedAt ?? "0001-").startsWith("0001-");
}

function ofSummary({ Id, Names, Image, ImageID, State, Labels, Ports }: Summary): Container {
  const mark = readMark(Labels?.[taskLabel]);
  const paused = State === "paused";
  const ports = new Map<string, PortMapping>();
  for (const { PublicPort = 0, PrivatePort, Type } of Ports ?? []) {
    if (Type === "tcp" || Type === "udp") addPort(ports, PublicPort, PrivatePort, Type);
  }
  return {
    id: Id,
    incarnation: Id,
    name: ownName(Names) ?? "",
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

function readMark(label: string | undefined): OwnerMark | undefined {
  const parts = /^([0-9a-zA-Z-]{1,64})\/(\d{1,15})$/.exec(label ?? "");
  return parts?.[1] && parts[2] ? { station: parts[1], task: Number(parts[2]) } : undefined;
}

/** Asked for at create, and, where Docker chose the host's port, what it chose. */
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
