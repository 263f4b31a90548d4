import { setTimeout as delay } from "node:timers/promises";

import { AppError } from "../../errors.ts";
import type { Container, Containers } from "../engine.ts";
import type { ContainerSettings } from "../container-spec.ts";
import { hostArchitecture } from "../shared/host-architecture.ts";
import type { CommitRequest, ContainerLife, ExecRequest, ExecResult } from "../container-life.ts";
import type { Reshaping } from "../shape.ts";
import { createFakeShape } from "./reshape.ts";
import type { Announce, Call, FakeState } from "./state.ts";

interface Deps {
  state: FakeState;
  call: Call;
  announce: Announce;
  find(id: string): Container | undefined;
  findByName(name: string): Container | undefined;
  run(id: string): void;
  end(id: string): void;
}

/** Returns the operations on a container after it was made. It knows the programs echo and sleep. */
export function createFakeLife(deps: Deps): ContainerLife & Reshaping & Pick<Containers, "settings"> {
  const { state, call, announce, run, end } = deps;

  function present(id: string): Container {
    const container = deps.find(id);
    if (!container) throw new AppError("not_found", `The fake engine has no container ${id}.`);
    return container;
  }

  function running(id: string): Container {
    const container = present(id);
    if (container.state !== "running")
      throw new AppError("conflict", `The fake container ${container.name} does not run.`);
    return container;
  }

  function setPaused(id: string, on: boolean): void {
    const { paused = false, ...rest } = running(id);
    if (paused === on) return;
    state.containers.set(rest.id, { ...rest, ...(on && { paused: true as const }) });
    announce("container", on ? "pause" : "unpause", rest.id);
  }

  function rename(id: string, name: string): string {
    const container = present(id);
    const taken = deps.findByName(name);
    if (taken && taken.id !== container.id)
      throw new AppError("conflict", `The name ${name} is taken by another container.`);
    state.containers.set(container.id, { ...container, name });
    announce("container", "rename", container.id);
    return container.id;
  }

  function setAutostart(id: string, autostart: boolean): void {
    const container = present(id);
    const spec = state.specs.get(container.id);
    if (spec) state.specs.set(container.id, { ...spec, autostart });
  }

  const act = <T>(
    verb: string,
    id: string,
    signal: AbortSignal | undefined,
    work: (cut: AbortSignal) => T | Promise<T>,
  ) => call({ method: `containers.${verb}`, subject: id, signal }, work);
  return {
    stop: (id, { signal } = {}) => act("stop", id, signal, () => end(present(id).id)),
    restart: (id, { signal } = {}) =>
      act("restart", id, signal, () => {
        end(present(id).id);
        run(id);
      }),
    pause: (id, signal) => act("pause", id, signal, () => setPaused(id, true)),
    unpause: (id, signal) => act("unpause", id, signal, () => setPaused(id, false)),
    rename: (id, name, signal) => act("rename", id, signal, () => rename(id, name)),
    setAutostart: (id, on, signal) => act("setAutostart", id, signal, () => setAutostart(id, on)),
    logs: (id, _lines, signal) => act("logs", id, signal, () => (present(id), { text: "", truncated: false })),
    inspect: (id, signal) => act("inspect", id, signal, () => ({ Id: present(id).id, NetworkSettings: { Ports: {} } })),
    settings: (id, signal) => act("settings", id, signal, () => settingsOf(state, present(id).id)),
    ...createFakeShape({ state, call, announce, present, run, end }),
    commit: (id, request, signal) => act("commit", id, signal, () => (present(id), commitImage(deps, request))),
    exec: (id, request, signal) => act("exec", id, signal, (cut) => (running(id), runProgram(request, cut))),
  };
}

/** Returns what a container was asked for, from the spec that it was made by. */
function settingsOf(state: FakeState, id: string): ContainerSettings {
  const spec = state.specs.get(id);
  if (!spec) throw new AppError("not_found", `The fake engine has no container ${id}.`);
  const { autostart, limits, devices, mounts, volumesFrom, hostname = spec.name, network } = spec;
  const architecture = hostArchitecture();
  return { autostart, limits, devices, mounts, volumesFrom, hostname, mode: network.mode, architecture };
}

/** Makes an image that takes the reference from another one, and returns its id. */
function commitImage({ state, announce }: Pick<Deps, "state" | "announce">, { reference }: CommitRequest): string {
  for (const image of state.images.values()) {
    const tags = image.tags.filter((tag) => tag !== reference);
    state.images.set(image.id, { ...image, tags });
  }
  const made = `sha256:${(++state.serial).toString(16).padStart(64, "0")}`;
  state.images.set(made, { id: made, tags: [reference], size: 1 });
  announce("image", "tag", made);
  return made;
}

/** Runs echo or sleep; of other programs it says, as a shell does, that they are not there. */
async function runProgram({ command }: ExecRequest, cut: AbortSignal): Promise<ExecResult> {
  const [program, ...args] = command;
  const result = { exitCode: 0, stdout: "", stderr: "", truncated: false };
  if (program === "echo") return { ...result, stdout: `${args.join(" ")}\n` };
  if (program !== "sleep") return { ...result, exitCode: 127, stderr: `${program}: not found\n` };
  await delay(Number(args[0]) * 1000, undefined, { signal: cut });
  return result;
}
