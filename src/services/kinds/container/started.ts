import type { Engine } from "../../../engines/engine.ts";
import { AppError } from "../../../errors.ts";
import { guardMounts } from "../../containers/mount-guard.ts";
import type { KindDependencies } from "../dependencies.ts";

/**
 * Waits until a container that was started is as the answer says: its mounts are checked and its ports are reachable.
 * Throws `forbidden` if it was stopped because a folder that it mounts was exchanged.
 */
export async function finishStart(dependencies: KindDependencies, engine: Engine, id: string): Promise<void> {
  const { marks, inventory } = dependencies;
  const container = await engine.containers.getById(id);
  const own = container?.mark?.station === marks.of(0).station;
  if (container && own && !(await guardMounts(engine, container, dependencies))) {
    throw new AppError("forbidden", `${container.name} was stopped: a folder that it mounts was exchanged.`);
  }
  const view = inventory.require(engine.type);
  await view.refresh(id);
  const seen = view.byId(id);
  if (seen) await dependencies.waitUntilForwarded(engine, seen);
}
