import { AppError } from "../errors.ts";
import type { Engine, EngineType } from "../engines/engine.ts";
import { sleep } from "../util/sleep.ts";
import { followEngine, type EngineView, type ViewListener } from "./engine-view.ts";

/** The live picture of all engines, answered from memory. */
export interface Inventory {
  /** The engines of this station, whether or not they answer now. */
  views(): readonly EngineView[];
  /** `engine_unavailable` when it is away, `unsupported` when this station has no such engine. */
  require(type: EngineType): EngineView;
  view(type: EngineType): EngineView | undefined;
  /** Resolves when every engine was listed once, or could not be, or some seconds have passed since the start. */
  readonly looked: Promise<void>;
  close(): void;
}

/** Milliseconds. An engine that takes longer for its first list is away until it has one. */
const firstLookWithin = 5_000;

export function createInventory(engines: readonly Engine[], ...listeners: readonly ViewListener[]): Inventory {
  const end = new AbortController();
  const listener = tellAll(listeners);
  const views = new Map(engines.map((engine) => [engine.type, followEngine(engine, listener, end.signal)]));

  const tried = Promise.all([...views.values()].map((view) => view.tried)).then(() => undefined);

  return {
    looked: Promise.race([tried, sleep(firstLookWithin, end.signal)]),
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

function tellAll(listeners: readonly ViewListener[]): ViewListener {
  return {
    resynced: (...told) => listeners.forEach((listener) => listener.resynced?.(...told)),
    started: (...told) => listeners.forEach((listener) => listener.started?.(...told)),
    seen: (...told) => listeners.forEach((listener) => listener.seen?.(...told)),
    gone: (...told) => listeners.forEach((listener) => listener.gone?.(...told)),
    event: (...told) => listeners.forEach((listener) => listener.event?.(...told)),
  };
}
