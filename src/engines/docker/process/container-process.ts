import { setTimeout as delay } from "node:timers/promises";

import { AppError, hasCode } from "../../../errors.ts";
import type { Containers } from "../../engine.ts";
import type { DockerHttp } from "../client/http.ts";
import { notDone, reasonOf, startFailure } from "../failures.ts";
import { containerPath, hasEnded, inspectContainer, requireContainer } from "../client/container.ts";
import { killLeftovers } from "./leftovers.ts";

const removalPoll = 100;
const removalPatience = 60_000;
/** What containerd says when a start that a dying dockerd left half done is not cleared away yet. */
const leftoverInTheWay = /id already in use|failed to start shim: mkdir \S+: file exists/;
const startTries = 20;
const leftoverPause = 100;

/** Returns what starts, kills and removes containers. `local`: Docker runs on this host, so its leftovers can be killed. */
export function createContainerProcess(
  http: DockerHttp,
  local: boolean,
): Pick<Containers, "start" | "kill" | "remove"> {
  const start: Containers["start"] = async (id, signal) => {
    await requireContainer(http, id, signal);
    for (let tries = startTries; ; tries--) {
      try {
        await http.json({ method: "POST", path: `${containerPath(id)}/start`, signal });
        return await assertStarted(http, id, signal);
      } catch (error) {
        if (tries === 0 || !local || !leftoverInTheWay.test(reasonOf(error))) throw startFailure(error);
        await killLeftovers(id);
        await delay(leftoverPause);
      }
    }
  };

  /** Docker's stop without a grace: the container then stays stopped, whatever its restart policy. */
  const kill: Containers["kill"] = async (id, signal) => {
    if (!(await inspectContainer(http, id, signal))) return;
    await http.json({ method: "POST", path: `${containerPath(id)}/stop`, query: { t: "0" }, signal });
  };

  const remove: Containers["remove"] = async (id, { keepVolumes = false, signal } = {}) => {
    if (!(await inspectContainer(http, id, signal))) return;
    const query = { force: "true", v: String(!keepVolumes) };
    try {
      await http.json({ method: "DELETE", path: containerPath(id), query, signal });
    } catch (error) {
      if (hasCode(error, "not_found")) return;
      if (!/removal of container .* is already in progress/i.test(reasonOf(error))) throw error;
      await waitUntilGone(http, id, signal);
    }
    if (local) await killLeftovers(id);
  };

  return { start, kill, remove };
}

/** Throws `engine_failed` when a container that Docker said it started has not run. It may have ended, or be gone, by now. */
async function assertStarted(http: DockerHttp, id: string, signal?: AbortSignal): Promise<void> {
  const inspected = await inspectContainer(http, id, signal);
  if (inspected && !inspected.State.Running && !hasEnded(inspected)) throw notDone(`started container ${id}`);
}

async function waitUntilGone(http: DockerHttp, id: string, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + removalPatience;
  while (await inspectContainer(http, id, signal)) {
    if (performance.now() > deadline)
      throw new AppError("engine_failed", `Docker has been removing container ${id} for a minute.`);
    await delay(removalPoll);
  }
}
