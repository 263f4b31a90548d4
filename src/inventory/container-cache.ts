import type { Container, Engine } from "../engines/engine.ts";
import { hasCode } from "../errors.ts";
import { createMutex } from "../util/concurrency.ts";
import { createContainerTable } from "./container-table.ts";
import type { ViewListener } from "./view-listener.ts";

/**
 * The cached containers of one engine. Tells the listener about every change.
 *
 * INVARIANT: inspections never overlap, and a container that an event named while a list was on its way is not taken from
 * that list. So an older response never replaces a newer one. `inspectTimeout` is in milliseconds.
 */
export function createContainerCache(engine: Engine, listener: ViewListener, inspectTimeout: number) {
  const table = createContainerTable();
  const runExclusive = createMutex();
  /** Ids that events named since the present list was requested. */
  const named = new Set<string>();

  function put(container: Container): void {
    const before = table.put(container);
    if (container.pid > 0 && before?.pid !== container.pid) listener.started?.(engine, container);
    listener.inspected?.(engine, container);
  }

  function remove(id: string): void {
    const known = table.remove(id);
    if (known) listener.removed?.(engine, known);
  }

  async function inspectNow(ids: readonly string[], signal: AbortSignal): Promise<void> {
    for (const id of ids) {
      const timeout = AbortSignal.timeout(inspectTimeout);
      const inspecting = engine.containers.getById(id, AbortSignal.any([signal, timeout]));
      const container = await inspecting.catch((error: unknown) => {
        if (signal.aborted || (hasCode(error, "engine_unavailable") && !timeout.aborted)) throw error;
        return null;
      });
      signal.throwIfAborted();
      // A container that the engine cannot inspect keeps its entry until the next list.
      if (container === null) continue;
      if (container) put(container);
      else remove(id);
    }
  }

  return {
    byId: table.byId,
    byName: table.byName,
    all: table.all,
    remove,
    /** Says that an event named this container: a list that is on its way may be older than the event. */
    addNamed: (id: string) => void named.add(id),
    /** Replaces the entries by the engine's list. Throws if the engine does not list within 30 s. */
    async resync(signal: AbortSignal): Promise<void> {
      named.clear();
      const containers = await engine.containers.list(AbortSignal.any([signal, AbortSignal.timeout(30_000)]));
      signal.throwIfAborted();
      const ids = new Set(containers.map((container) => container.id));
      for (const id of table.ids().filter((known) => !ids.has(known) && !named.has(known))) remove(id);
      for (const container of containers) if (!named.has(container.id)) put(container);
      listener.resynced?.(engine, containers, named);
    },
    /** Asks the engine about these containers, one after the other. Throws if the engine does not answer at all. */
    inspect: (ids: readonly string[], signal: AbortSignal): Promise<void> =>
      runExclusive(() => inspectNow(ids, signal)),
  };
}

export type ContainerCache = ReturnType<typeof createContainerCache>;
