import type { Container, ContainerState, Engine } from "../../engines/engine.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { ViewListener } from "../../inventory/view-listener.ts";

/** Waits for what becomes of a container, without asking its engine. */
export interface StateWaits extends ViewListener {
  /** Resolves when the container is seen in that state, is gone, or the signal aborts; the caller checks what it was. */
  until(view: EngineView, id: string, wanted: ContainerState, signal: AbortSignal): Promise<void>;
}

/** Makes the functions that wait for states of containers. */
export function createStateWaits(): StateWaits {
  const waiting = new Map<string, Set<() => void>>();
  const keyOf = (engine: Engine, id: string): string => `${engine.type}/${id}`;
  const wake = (engine: Engine, { id }: Container): void => waiting.get(keyOf(engine, id))?.forEach((check) => check());

  return {
    inspected: wake,
    removed: wake,
    until: (view, id, wanted, signal) =>
      new Promise((resolve) => {
        const key = keyOf(view.engine, id);
        const checks = waiting.get(key) ?? new Set();
        waiting.set(key, checks);
        const end = (): void => {
          checks.delete(check);
          if (checks.size === 0 && waiting.get(key) === checks) waiting.delete(key);
          signal.removeEventListener("abort", end);
          resolve();
        };
        const check = (): void => {
          const state = view.byId(id)?.state;
          if (signal.aborted || state === undefined || state === wanted) end();
        };
        checks.add(check);
        signal.addEventListener("abort", end);
        check();
      }),
  };
}
