import type { Container, Engine } from "../../engines/engine.ts";
import type { ViewListener } from "../../inventory/view-listener.ts";
import type { TaskStore } from "../../storage/task-store.ts";
import { guardMounts, type SharedFolders } from "./mount-guard.ts";
import { parseResourceKey } from "../../tasks/resource-key.ts";
import { containerKey } from "../planning/resource-keys.ts";
import type { Log } from "../../util/log.ts";

export interface SweeperOptions {
  /** The store of tasks. */
  tasks: TaskStore;
  /** The shared folders that containers mount. */
  folders: SharedFolders;
  /** This station's id. */
  station: string;
  /** Is told about failures whose details no client sees. */
  log: Log;
}

export interface Sweeper extends ViewListener {
  /** Tidies up after an engine's containers were listed. */
  resynced(engine: Engine, containers: readonly Container[]): void;
  /** Gives a container that has started what the engine does not keep for it. */
  started(engine: Engine, container: Container): void;
  /** Releases the ports of a container that is gone. */
  removed(engine: Engine, container: Container): void;
}

/**
 * Tidies up after every list of an engine's containers: removes containers of tasks that were undone, because an engine may
 * finish a call after the station's death, and releases port claims whose container is gone. Also gives containers that
 * start what the engine does not keep for them.
 */
export function createSweeper({ tasks, folders, station, log }: SweeperOptions): Sweeper {
  const failed = (what: string, engine: Engine) => (error: unknown) => log.error(what, { engine: engine.type, error });

  async function sweepContainers(engine: Engine, containers: readonly Container[]): Promise<void> {
    const ours = containers.filter(({ mark }) => mark?.station === station);
    const undone = new Set(await tasks.undone(ours.map(({ mark }) => mark?.task as number)));
    for (const { id, name, mark } of ours) {
      const task = mark?.task as number;
      // A data folder that was put back from a copy gives out its ids again: the name must be that task's too.
      if (undone.has(task) && (await tasks.nameOf(task)) === name) await engine.containers.remove(id);
    }
  }

  async function sweepClaims(engine: Engine, containers: readonly Container[]): Promise<void> {
    const byName = new Map(containers.map((container) => [container.name, container]));
    for (const { owner, protocol, port } of await tasks.claims()) {
      const claimant = parseResourceKey(owner);
      if (claimant?.scope !== engine.type) continue;
      const container = byName.get(claimant.name);
      // Another container of the name, made elsewhere, has other ports.
      const published = container?.ports.some((mapping) => mapping.host === port && mapping.protocol === protocol);
      if (published) continue;
      if (container) await tasks.releaseClaims(owner);
      else await releaseGone(engine, claimant.name);
    }
  }

  /** Releases the ports of a container that is gone, unless another one of the name has been made since. */
  async function releaseGone(engine: Engine, name: string): Promise<void> {
    if (!(await engine.containers.getByName(name))) await tasks.releaseClaims(containerKey(engine.type, name));
  }

  /** Gives a container of this station what it needs at each start. */
  async function completeStart(engine: Engine, container: Container): Promise<void> {
    if (await guardMounts(engine, container, folders)) return engine.attachNetwork(container);
    log.warn("a container was stopped: a folder that it mounts was exchanged", {
      engine: engine.type,
      container: container.name,
    });
  }

  return {
    resynced(engine, containers) {
      sweepContainers(engine, containers).catch(failed("sweep of containers", engine));
      sweepClaims(engine, containers).catch(failed("sweep of port claims", engine));
    },
    started(engine, container) {
      // An image brings labels of its own: what this station did not make gets nothing from it.
      if (container.mark?.station !== station) return;
      completeStart(engine, container).catch(failed("a started container", engine));
    },
    removed(engine, { name }) {
      releaseGone(engine, name).catch(failed("release of ports", engine));
    },
  };
}
