import type { Container, Engine } from "../../engines/engine.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { ViewListener } from "../../inventory/view-listener.ts";
import type { PinnedFolders } from "../../shares/pinned-folders.ts";
import type { TaskStore } from "../../storage/task-store.ts";
import type { Log } from "../../util/log.ts";

export interface ShareMountOptions {
  /** The folders of shares that are mounted for containers. */
  pins: PinnedFolders;
  /** The store of tasks. */
  tasks: Pick<TaskStore, "row">;
  /** Returns the live view of an engine. */
  view: (engine: Engine) => EngineView | undefined;
  /** Is told about failures whose details no client sees. */
  log: Log;
}

const active: ReadonlySet<string> = new Set(["waiting", "running", "undoing"]);

/**
 * Keeps the mounts of shared folders in step with the containers. After a reboot it makes them again and starts the
 * containers that the engine could not start without them. When the last container that uses them is gone, it removes them.
 */
export function createShareMounts({ pins, tasks, view, log }: ShareMountOptions): ViewListener {
  async function restore(engine: Engine, containers: readonly Container[]): Promise<void> {
    const missing = new Set(await pins.missing(containers.flatMap(({ mounts }) => mounts)));
    for (const container of containers) {
      if (!container.mounts.some((source) => missing.has(source))) continue;
      await restoreContainer(engine, container).catch((error: unknown) =>
        log.error("the folders of a container cannot be mounted", {
          engine: engine.type,
          container: container.name,
          error,
        }),
      );
    }
  }

  async function restoreContainer(engine: Engine, { id, mounts, state }: Container): Promise<void> {
    await pins.restore(mounts);
    if (state === "running" || !(await engine.containers.settings(id)).autostart) return;
    await engine.containers.start(id);
  }

  /** A task that has ended has shown its container to the view, so the view is asked after the store. */
  async function isNeeded(engine: Engine, task: number): Promise<boolean> {
    if (active.has((await tasks.row(task))?.state ?? "")) return true;
    const containers = view(engine)?.containers();
    if (!containers) return true;
    const folder = pins.folder(engine.type, task);
    return [...containers].some(
      ({ mark, mounts }) => mark?.task === task || mounts.some((source) => source.startsWith(`${folder}/`)),
    );
  }

  async function release(engine: Engine, candidates: readonly number[]): Promise<void> {
    for (const task of candidates) if (!(await isNeeded(engine, task))) await pins.release(engine.type, task);
  }

  const failed = (engine: Engine) => (error: unknown) =>
    log.error("mounts of shared folders", { engine: engine.type, error });

  return {
    resynced(engine, containers) {
      if (!engine.capabilities.local) return;
      restore(engine, containers)
        .then(() => pins.tasks(engine.type))
        .then((found) => release(engine, found))
        .catch(failed(engine));
    },
    removed(engine, { mounts }) {
      const released = new Set(mounts.map((source) => pins.taskOf(source)).filter((task) => task !== undefined));
      release(engine, [...released]).catch(failed(engine));
    },
  };
}
