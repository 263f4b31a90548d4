import { AppError } from "../../../errors.ts";
import { parseImageName } from "../../image-name.ts";
import { keepEnd } from "../../processes/kept-output.ts";
import type { CommitRequest, ContainerLife, KeptLog, StopOptions } from "../../container-life.ts";
import { containerPath, requireContainer, type Inspected } from "../inspect/inspect.ts";
import { taskLabel } from "../create/create-body.ts";
import { execIn } from "../exec/exec.ts";
import { cancelled, connectionFailure, idIn, notDone, reasonOf, startFailure } from "../failures.ts";
import { readFrames, readTerminal } from "../client/frames.ts";
import type { DockerHttp } from "../client/http.ts";
import { isAutostart } from "../inspect/settings.ts";

/** What becomes of a container after it was made. Docker keeps an order of its own for each container. */
export function createLife(http: DockerHttp): ContainerLife {
  const local = http.address.startsWith("unix:");

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

  async function logs(id: string, lines: number, signal?: AbortSignal): Promise<KeptLog> {
    const { Id, Config } = await requireContainer(http, id, signal);
    const query = { stdout: "true", stderr: "true", tail: String(lines) };
    const answer = await http.open({ path: `${containerPath(Id)}/logs`, query, signal });
    const kept = keepEnd();
    try {
      for await (const { data } of Config.Tty ? readTerminal(answer) : readFrames(answer)) kept.add(data);
    } catch (cause) {
      throw signal?.aborted ? cancelled(cause) : connectionFailure(cause, http.address);
    } finally {
      answer.destroy();
    }
    return { text: kept.text(), truncated: kept.truncated() };
  }

  /** An image of a container has its labels: without the mark, what others make of it is not taken for the station's. */
  async function commit(id: string, request: CommitRequest, signal?: AbortSignal): Promise<string> {
    const { Id } = await requireContainer(http, id, signal);
    const { image: repo, tag } = parseImageName("docker", request.reference);
    const query = { container: Id, repo, tag, author: request.author, comment: request.message };
    const changes = { changes: `LABEL ${taskLabel}=""` };
    const made = await http.json<{ Id: string }>({
      method: "POST",
      path: "/commit",
      query: { ...query, ...changes },
      signal,
    });
    const what = `made the image ${request.reference}`;
    const image = idIn(made, what);
    const named = await http.json<{ Id: string }>({
      path: `/images/${encodeURIComponent(request.reference)}/json`,
      signal,
    });
    if (idIn(named, what) !== image) throw notDone(what);
    return made.Id;
  }

  return {
    stop,
    restart,
    pause,
    unpause,
    rename,
    setAutostart,
    logs,
    commit,
    inspect: async (id, signal) => withBinds(await requireContainer(http, id, signal)),
    async exec(id, request, signal) {
      const { Id } = await requireContainer(http, id, signal);
      return execIn({ http, local }, Id, request, signal);
    },
  };
}

/** Folders of the host are given as mounts; who reads an inspect looks for them at their older place. */
function withBinds(inspected: Inspected): Record<string, unknown> {
  const { HostConfig, Mounts } = inspected;
  const bound = (Mounts ?? []).filter(({ Type }) => Type === "bind");
  if (HostConfig.Binds || bound.length === 0) return { ...inspected };
  const binds = bound.map(({ Source, Destination, RW }) => `${Source}:${Destination}:${RW ? "rw" : "ro"}`);
  return { ...inspected, HostConfig: { ...HostConfig, Binds: binds } };
}

/** Without it Docker takes the container's own measure. */
function graceQuery(grace: number | undefined): Record<string, string> {
  return grace === undefined ? {} : { t: String(grace) };
}

function unless(reason: RegExp): (error: unknown) => void {
  return (error) => {
    if (!reason.test(reasonOf(error))) throw error;
  };
}
