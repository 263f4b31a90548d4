import type { Container, Engine } from "../../engines/engine.ts";
import type { ViewListener } from "../../inventory/view-listener.ts";
import type { ActingUsers } from "./acting-users.ts";
import type { WriteEvent } from "./event-writer.ts";
import { createImageUpdates } from "./image-updates.ts";

/** The documented words for what happens to a container. */
type Change = "create" | "start" | "stop" | "restart" | "destroy" | "pause" | "unpause";

/** The last event of a container. */
type LastEvent = { name: string; state: "stopped" | "running" | "paused" };

/** The change that each event of an engine means. Other events are left out: Docker also says `die` for every stop. */
const changes: Readonly<Record<string, Change>> = {
  create: "create",
  // With a new name it is another container where the name is the id.
  rename: "create",
  start: "start",
  die: "stop",
  restart: "restart",
  restarted: "restart",
  destroy: "destroy",
  pause: "pause",
  paused: "pause",
  unpause: "unpause",
  resumed: "unpause",
};

/** The state after each change. */
const after: Readonly<Record<Exclude<Change, "destroy">, LastEvent["state"]>> = {
  create: "stopped",
  start: "running",
  stop: "stopped",
  restart: "running",
  pause: "paused",
  unpause: "running",
};

/**
 * Makes the station's events of what engines say, at once. What happened while an engine was away is found out by the
 * next list. A change that was told already is not told again, whichever of the two was first.
 */
export function createEngineEvents(writeEvent: WriteEvent, actingUsers: ActingUsers): ViewListener {
  const known = new Map<Engine["type"], Map<string, LastEvent>>();
  const imagesChanged = createImageUpdates(writeEvent);

  function writeChange(engine: Engine, change: Change, container: { id: string; name: string }): void {
    const { type } = engine;
    const { id, name } = container;
    writeEvent("container", actingUsers.of(type, name), { container: name, id, type, state: change });
  }

  function apply(engine: Engine, change: Change, { id, name }: { id: string; name: string }): void {
    const table = known.get(engine.type);
    // Nothing is known before the first list: that tells what there is.
    if (!table) return;
    const before = table.get(id);
    if (!isNew(change, before)) return;
    if (change === "destroy") table.delete(id);
    else table.set(id, { name, state: after[change] });
    writeChange(engine, change, { id, name });
  }

  function compare(engine: Engine, containers: readonly Container[], uncertain: ReadonlySet<string>): void {
    const table = known.get(engine.type) ?? new Map<string, LastEvent>();
    const ids = new Set(containers.map(({ id }) => id));
    for (const [id, { name }] of table) if (!ids.has(id) && !uncertain.has(id)) apply(engine, "destroy", { id, name });
    for (const container of containers) {
      if (uncertain.has(container.id)) continue;
      apply(engine, "create", container);
      const running = container.state === "running";
      if (running !== (table.get(container.id)?.state !== "stopped"))
        apply(engine, running ? "start" : "stop", container);
    }
  }

  return {
    event(engine, event, seen) {
      if (event.resource === "image") return imagesChanged(engine.type, event.action);
      const change = changes[event.action];
      const name = seen?.name ?? event.name ?? known.get(engine.type)?.get(event.id)?.name;
      // Where an engine says no name, the id is it.
      if (change) apply(engine, change, { id: event.id, name: name ?? event.id });
    },
    resynced(engine, containers, uncertain) {
      if (known.has(engine.type)) return compare(engine, containers, uncertain);
      const table = containers.map(({ id, name, state }): [string, LastEvent] => [id, { name, state }]);
      known.set(engine.type, new Map(table));
    },
  };
}

function isNew(change: Change, before: LastEvent | undefined): boolean {
  if (change === "create") return before === undefined;
  if (change === "restart") return true;
  if (change === "destroy") return before !== undefined;
  if (change === "unpause") return before?.state === "paused";
  return before?.state !== after[change];
}
