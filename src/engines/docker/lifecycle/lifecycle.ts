import { AppError } from "../../../errors.ts";
import type { StopOptions } from "../../container-life.ts";
import type { Containers } from "../../engine.ts";
import type { DockerHttp } from "../client/http.ts";
import { notDone, reasonOf, startFailure } from "../failures.ts";
import { containerPath, inspectContainer, requireContainer, type Inspected } from "../client/container.ts";
import { isAutostart } from "../inspect/settings.ts";

type Lifecycle = Pick<Containers, "stop" | "restart" | "pause" | "unpause" | "rename" | "setAutostart">;

/** Returns the operations on a container after it was made. Docker keeps an order of its own for each container. */
export function createLifecycle(http: DockerHttp): Lifecycle {
  async function post(
    id: string,
    verb: string,
    query: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Inspected> {
    const before = await requireContainer(http, id, signal);
    await http.json({ method: "POST", path: `${containerPath(before.Id)}/${verb}`, query, signal });
    return before;
  }

  /** Throws `engine_failed` unless the container is so. One that is gone was removed by Docker itself as it ended. */
  async function assertSo(id: string, what: string, isSo: (now: Inspected) => boolean): Promise<void> {
    const now = await inspectContainer(http, id);
    if (now && !isSo(now)) throw notDone(`${what} container ${id}`);
  }

  async function stop(id: string, { grace, signal }: StopOptions = {}): Promise<void> {
    const { State: before } = await post(id, "stop", graceQuery(grace), signal);
    // Somebody may have started it again since.
    await assertSo(id, "stopped", ({ State }) => !State.Running || State.StartedAt !== before.StartedAt);
  }

  async function restart(id: string, { grace, signal }: StopOptions = {}): Promise<void> {
    const { State: before } = await post(id, "restart", graceQuery(grace), signal).catch((error: unknown) =>
      Promise.reject(startFailure(error)),
    );
    await assertSo(id, "restarted", ({ State }) => State.StartedAt !== before.StartedAt);
  }

  async function pause(id: string, signal?: AbortSignal): Promise<void> {
    await post(id, "pause", {}, signal).catch(unless(/already paused/i));
    await assertSo(id, "paused", ({ State }) => State.Paused === true || !State.Running);
  }

  async function unpause(id: string, signal?: AbortSignal): Promise<void> {
    const { State, Name } = await requireContainer(http, id, signal);
    if (!State.Running) throw new AppError("conflict", `The Docker container ${Name.slice(1)} does not run.`);
    await post(id, "unpause", {}, signal).catch(unless(/not paused/i));
    await assertSo(id, "let go on", ({ State: now }) => now.Paused !== true);
  }

  async function rename(id: string, name: string, signal?: AbortSignal): Promise<string> {
    const { Id, Name } = await requireContainer(http, id, signal);
    if (Name === `/${name}`) return Id;
    try {
      await http.json({ method: "POST", path: `${containerPath(Id)}/rename`, query: { name }, signal });
    } catch (error) {
      if (!/name .* is already in use|already in use by container/i.test(reasonOf(error))) throw error;
      throw new AppError("conflict", `The name ${name} is taken by another Docker container.`, { cause: error });
    }
    await assertSo(id, "renamed", (now) => now.Name === `/${name}`);
    return Id;
  }

  async function setAutostart(id: string, on: boolean, signal?: AbortSignal): Promise<void> {
    const { Id, HostConfig } = await requireContainer(http, id, signal);
    // `unless-stopped` and `on-failure` are on too, and were chosen by somebody.
    if (isAutostart(HostConfig.RestartPolicy) === on) return;
    const body = { RestartPolicy: { Name: on ? "always" : "no" } };
    await http.json({ method: "POST", path: `${containerPath(Id)}/update`, body, signal });
    await assertSo(id, "changed", (now) => isAutostart(now.HostConfig.RestartPolicy) === on);
  }

  return { stop, restart, pause, unpause, rename, setAutostart };
}

/** Returns the grace as a query; without one Docker takes the container's own. */
function graceQuery(grace: number | undefined): Record<string, string> {
  return grace === undefined ? {} : { t: String(grace) };
}

function unless(reason: RegExp): (error: unknown) => undefined {
  return (error) => {
    if (!reason.test(reasonOf(error))) throw error;
    return undefined;
  };
}
