import { AppError } from "../../errors.ts";
import type { Container, Containers } from "../engine.ts";
import type { ContainerSpec } from "../container-spec.ts";
import { createFakeLife } from "./lifecycle.ts";
import type { Announce, Call, FakeState } from "./state.ts";

interface Deps {
  state: FakeState;
  call: Call;
  announce: Announce;
}

const firstPid = 100_000;

/** Returns the containers of a fake engine. */
export function createFakeContainers({ state, call, announce }: Deps): Containers {
  const find = (id: string): Container | undefined => state.containers.get(id);

  function findByName(name: string): Container | undefined {
    return [...state.containers.values()].find((container) => container.name === name);
  }

  function make(spec: ContainerSpec): string {
    const image = [...state.images.values()].find(({ id, tags }) => id === spec.image || tags.includes(spec.image));
    if (!image) throw new AppError("not_found", `The fake engine has no image ${spec.image}.`);
    if (findByName(spec.name)) throw new AppError("conflict", `The name ${spec.name} is taken by another container.`);
    const id = (++state.serial).toString(16).padStart(64, "0");
    const ports = spec.network.mode === "nat" ? [...spec.ports] : [];
    const made = {
      id,
      incarnation: id,
      name: spec.name,
      state: "stopped",
      image: spec.image,
      imageId: image.id,
      mark: { ...spec.mark },
      ports,
      pid: 0,
      mounts: spec.mounts.map(({ source }) => source),
    } as const;
    state.containers.set(id, made);
    state.specs.set(id, structuredClone(spec));
    announce("container", "create", id);
    return id;
  }

  function run(id: string): void {
    const container = find(id);
    if (!container) throw new AppError("not_found", `The fake engine has no container ${id}.`);
    if (container.state === "running") return;
    for (const port of container.ports) refuseTaken(state, port.host, port.protocol);
    state.containers.set(container.id, { ...container, state: "running", pid: firstPid + ++state.serial });
    announce("container", "start", container.id);
  }

  function end(id: string): void {
    const container = find(id);
    if (container?.state !== "running") return;
    const { paused: _, ...rest } = container;
    state.containers.set(container.id, { ...rest, state: "stopped", pid: 0, ended: true });
    announce("container", "die", container.id);
  }

  function drop(id: string): void {
    const container = find(id);
    if (!container) return;
    state.containers.delete(container.id);
    state.specs.delete(container.id);
    state.networks.delete(container.id);
    if (container.state === "running") announce("container", "die", container.id);
    announce("container", "destroy", container.id);
  }

  const copy = (container: Container | undefined): Container | undefined => structuredClone(container);
  return {
    list: (signal) =>
      call({ method: "containers.list", subject: "", signal }, () => structuredClone([...state.containers.values()])),
    getById: (id, signal) => call({ method: "containers.getById", subject: id, signal }, () => copy(find(id))),
    getByName: (name, signal) =>
      call({ method: "containers.getByName", subject: name, signal }, () => copy(findByName(name))),
    create: (spec, signal) => call({ method: "containers.create", subject: spec.name, signal }, () => make(spec)),
    start: (id, signal) => call({ method: "containers.start", subject: id, signal }, () => run(id)),
    kill: (id, signal) => call({ method: "containers.kill", subject: id, signal }, () => end(id)),
    remove: (id, { signal } = {}) => call({ method: "containers.remove", subject: id, signal }, () => drop(id)),
    ...createFakeLife({ state, call, announce, find, findByName, run, end }),
  };
}

function refuseTaken(state: FakeState, host: number, protocol: string): void {
  const running = [...state.containers.values()].filter((container) => container.state === "running");
  const taken = running.some(({ ports }) => ports.some((port) => port.host === host && port.protocol === protocol));
  if (taken) throw new AppError("conflict", `Port ${host} of the host is in use.`, { details: { port: host } });
}
