import { storedRequest } from "../stored-request.ts";
import { finishStart } from "./started.ts";
import { StopRequest } from "./stop.ts";
import { defineContainerVerb } from "./verb.ts";

/** Restarts a container. Done when another first process runs than before, which is written down before it begins. */
export const containerRestart = defineContainerVerb({
  kind: "container_restart",
  verb: "container:restart",
  request: storedRequest(StopRequest),
  async act({ engine, container, request, context, dependencies }) {
    const before = await context.step("before", null, async () => container.pid);
    const { grace } = request;
    await context.step("restart", null, async (repeated) => {
      if (repeated && container.pid > 0 && container.pid !== before) return;
      await dependencies.pins.restore(container.mounts, { anew: true });
      await engine.containers.restart(container.id, { grace, signal: context.signal });
    });
    await finishStart(dependencies, engine, container.id);
  },
  async isDone({ container, context }) {
    const before = await context.step("before", null, async (): Promise<number | null> => null);
    return before !== null && container !== undefined && container.pid > 0 && container.pid !== before;
  },
});
