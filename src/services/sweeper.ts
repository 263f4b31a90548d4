import type { Container, Engine } from "../engines/engine.ts";
import type { ViewListener } from "../inventory/engine-view.ts";
import type { TaskStore } from "../storage/task-store.ts";
import { containerKey } from "./task-plan.ts";

export interface SweeperOptions {
  tasks: TaskStore;
  station: string;
  log: (message: string, fields: Record<string, unknown>) => void;
}

/**
 * Tidies up after every full look at an engine: what a task left that was undone (an engine may finish a call after our
 * death), and port claims whose container is gone. Gives started containers what the engine does not keep for them.
 */
export function createSweeper({ tasks, station, log }: SweeperOptions): ViewListener {
  const failed = (what: string, engine: Engine) => (error: unknown) => log(what, { engine: engine.type, error });

  async function sweepContainers(engine: Engine, containers: readonly Container[]): Promise<void> {
    const ours = containers.filter(({ mark }) => mark?.station === station);
    const undone = new Set(await tasks.undone(ours.map(({ mark }) => mark?.task as number)));
    for (const { id, mark } of ours) if (undone.has(mark?.task as number)) await engine.containers.remove(id);
  }

  async function sweepClaims(engine: Engine, containers: readonly Container[]): Promise<void> {
    const there = new Set(containers.map(({ name }) => containerKey(engine.type, name)));
    const owners = new Set((await tasks.claims()).map(({ owner }) => owner));
    for (const owner of owners) {
      if (!owner.startsWith(`${engine.type}/`) || there.has(owner)) continue;
      await releaseGone(engine, owner.slice(containerKey(engine.type, "").length));
    }
  }

  /** Another container of the name may have been made since. */
  async function releaseGone(engine: Engine, name: string): Promise<void> {
    if (!(await engine.containers.get(name))) await tasks.releaseClaims(containerKey(engine.type, name));
  }

  return {
    resynced(engine, containers) {
      sweepContainers(engine, containers).catch(failed("sweep of containers", engine));
      sweepClaims(engine, containers).catch(failed("sweep of port claims", engine));
    },
    started(engine, container) {
      engine.attachNetwork(container).catch(failed("network of a started container", engine));
    },
    gone(engine, { name }) {
      releaseGone(engine, name).catch(failed("release of ports", engine));
    },
  };
}
