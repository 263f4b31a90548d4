import { AppError } from "../errors.ts";
import type { Engine, EngineType } from "../engines/engine.ts";
import { sleep } from "../util/sleep.ts";
import { followEngine, type EngineView } from "./engine-view.ts";
import type { ViewListener } from "./view-listener.ts";

/** The live views of all engines, answered from memory. */
export interface Inventory {
  /** Lists the views of all engines of this station, whether or not they answer now. */
  views(): readonly EngineView[];
  /**
   * Returns the view of an engine that answers. Throws `engine_unavailable` if it is away, `unsupported` if this station
   * has no such engine.
   */
  require(type: EngineType): EngineView;
  /** Returns the view of an engine, or undefined if this station has no such engine. */
  view(type: EngineType): EngineView | undefined;
  /** Resolves when the first list of every engine has succeeded or failed, and at the latest 5 s after the start. */
  readonly firstLists: Promise<void>;
  /** Stops following the engines. */
  close(): void;
}

/** Milliseconds. An engine that takes longer for its first list counts as away until it has one. */
const firstListTimeout = 5_000;

/** Starts to follow the engines. Every listener is told about the changes of all views, in the order given. */
export function createInventory(engines: readonly Engine[], ...listeners: readonly ViewListener[]): Inventory {
  const end = new AbortController();
  const listener = combine(listeners);
  const views = new Map(engines.map((engine) => [engine.type, followEngine(engine, listener, end.signal)]));

  const firstAttempts = Promise.all([...views.values()].map((view) => view.firstAttempt)).then(() => undefined);

  return {
    firstLists: Promise.race([firstAttempts, sleep(firstListTimeout, end.signal)]),
    views: () => [...views.values()],
    view: (type) => views.get(type),
    require(type) {
      const view = views.get(type);
      if (!view)
        throw new AppError("unsupported", `type ${type}: this station has no such engine.`, {
          details: { field: "type" },
        });
      if (!view.available()) {
        const away = `${type} does not answer at the moment; try again when it is back.`;
        throw new AppError("engine_unavailable", away, { details: { engine: type } });
      }
      return view;
    },
    close: () => end.abort(),
  };
}

function combine(listeners: readonly ViewListener[]): ViewListener {
  return {
    resynced: (...call) => listeners.forEach((listener) => listener.resynced?.(...call)),
    started: (...call) => listeners.forEach((listener) => listener.started?.(...call)),
    inspected: (...call) => listeners.forEach((listener) => listener.inspected?.(...call)),
    removed: (...call) => listeners.forEach((listener) => listener.removed?.(...call)),
    event: (...call) => listeners.forEach((listener) => listener.event?.(...call)),
  };
}
