import type { Container, ContainerState, Engine } from "../../engines/engine.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { ViewListener } from "../../inventory/view-listener.ts";

/** Waits for what becomes of a container, without asking its engine. */
export interface StateWaits extends ViewListener {
  /** Resolves when the container is seen in that state, is gone, or the signal aborts; the caller looks what it was. */
  until(view: EngineView, id: string, wanted: ContainerState, signal: AbortSignal): Promise<void>;
}

export function createStateWaits(): StateWaits {
  const waiting = new Map<string, Set<() => void>>();
  const keyOf = (engine: Engine, id: string): string => `${engine.type}/${id}`;
  const wake = (engine: Engine, { id }: Container): void => waiting.get(keyOf(engine, id))?.forEach((look) => look());

  return {
    inspected: wake,
    removed: wake,
    until: (view, id, wanted, signal) =>
      new Promise((resolve) => {
        const key = keyOf(view.engine, id);
        const looks = waiting.get(key) ?? new Set();
        waiting.set(key, looks);
        const end = (): void => {
          looks.delete(look);
          if (looks.size === 0 && waiting.get(key) === looks) waiting.delete(key);
          signal.removeEventListener("abort", end);
          resolve();
        };
        const look = (): void => {
          const state = view.byId(id)?.state;
          if (signal.aborted || state === undefined || state === wanted) end();
        };
        looks.add(look);
        signal.addEventListener("abort", end);
        look();
      }),
  };
}
