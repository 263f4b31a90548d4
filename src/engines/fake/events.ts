import { EventEmitter, on } from "node:events";

import { AppError } from "../../errors.ts";
import type { EngineEvent } from "../engine.ts";
import type { Announce, FakeState } from "./state.ts";

/** The events of a fake engine. */
export interface FakeEvents {
  /** Tells all subscribers of an event. */
  announce: Announce;
  /** As `Engine.events`. */
  subscribe(signal: AbortSignal): AsyncIterable<EngineEvent>;
}

/** Returns the events of a fake engine; they end when it crashes. */
export function createFakeEvents(state: FakeState): FakeEvents {
  const emitter = new EventEmitter().setMaxListeners(0);

  function announce(...[resource, action, id]: Parameters<Announce>): void {
    const name = state.containers.get(id)?.name;
    emitter.emit("event", { resource, action, id, ...(name !== undefined && { name }) } satisfies EngineEvent);
  }

  /** Subscribes at once, as a real driver's replay makes it seem. */
  function subscribe(signal: AbortSignal): AsyncIterable<EngineEvent> {
    const life = state.life.signal;
    const end = AbortSignal.any([signal, life]);
    const source = end.aborted ? undefined : on(emitter, "event", { signal: end });
    return drain(source, signal);
  }

  return { announce, subscribe };
}

async function* drain(
  source: AsyncIterable<EngineEvent[]> | undefined,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent, void, undefined> {
  try {
    for await (const [event] of source ?? []) if (event) yield event;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "AbortError") throw error;
  }
  if (!signal.aborted) throw new AppError("engine_unavailable", "The fake engine does not answer.");
}
