import { AppError } from "../../../errors.ts";
import type { StopOptions } from "../../container-life.ts";
import type { Containers } from "../../engine.ts";
import type { DockerHttp } from "../client/http.ts";
import { reasonOf, startFailure } from "../failures.ts";
import { containerPath, requireContainer } from "../client/container.ts";
import { isAutostart } from "../inspect/settings.ts";

type Lifecycle = Pick<Containers, "stop" | "restart" | "pause" | "unpause" | "rename" | "setAutostart">;

/** Returns the operations on a container after it was made. Docker keeps an order of its own for each container. */
export function createLifecycle(http: DockerHttp): Lifecycle {
  async function post(id: string, verb: string, query: Record<string, string>, signal?: AbortSignal): Promise<void> {
    const { Id } = await requireContainer(http, id, signal);
    await http.json({ method: "POST", path: `${containerPath(Id)}/${verb}`, query, signal });
  }

  async function stop(id: string, { grace, signal }: StopOptions = {}): Promise<void> {
    await post(id, "stop", graceQuery(grace), signal);
  }

  async function restart(id: string, { grace, signal }: StopOptions = {}): Promise<void> {
    await post(id, "restart", graceQuery(grace), signal).catch((error: unknown) => Promise.reject(startFailure(error)));
  }

  async function pause(id: string, signal?: AbortSignal): Promise<void> {
    await post(id, "pause", {}, signal).catch(unless(/already paused/i));
  }

  async function unpause(id: string, signal?: AbortSignal): Promise<void> {
    const { State, Name } = await requireContainer(http, id, signal);
    if (!State.Running) throw new AppError("conflict", `The Docker container ${Name.slice(1)} does not run.`);
    await post(id, "unpause", {}, signal).catch(unless(/not paused/i));
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
    return Id;
  }

  async function setAutostart(id: string, on: boolean, signal?: AbortSignal): Promise<void> {
    const { Id, HostConfig } = await requireContainer(http, id, signal);
    // `unless-stopped` and `on-failure` are on too, and were chosen by somebody.
    if (isAutostart(HostConfig.RestartPolicy) === on) return;
    const body = { RestartPolicy: { Name: on ? "always" : "no" } };
    await http.json({ method: "POST", path: `${containerPath(Id)}/update`, body, signal });
  }

  return { stop, restart, pause, unpause, rename, setAutostart };
}

/** Returns the grace as a query; without one Docker takes the container's own. */
function graceQuery(grace: number | undefined): Record<string, string> {
  return grace === undefined ? {} : { t: String(grace) };
}

function unless(reason: RegExp): (error: unknown) => void {
  return (error) => {
    if (!reason.test(reasonOf(error))) throw error;
  };
}
