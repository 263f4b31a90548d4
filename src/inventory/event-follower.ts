import type { EngineEvent } from "../engines/engine.ts";
import type { ContainerCache } from "./container-cache.ts";

export interface FollowOptions {
  /** The cache that is kept up to date. */
  cache: ContainerCache;
  /** Is called for each event at once, before the cache changes. */
  onEvent: (event: EngineEvent) => void;
  /** Milliseconds for which events are collected before the containers that they name are inspected. */
  delay: number;
  /** Ends inspections. */
  signal: AbortSignal;
}

/** Keeps the cache up to date by an engine's events. Throws when the stream of events ends or an inspection fails. */
export async function followEvents(
  events: AsyncIterable<EngineEvent>,
  { cache, onEvent, delay, signal }: FollowOptions,
): Promise<never> {
  const pending = new Set<string>();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;

  async function inspectPending(): Promise<void> {
    const ids = [...pending];
    pending.clear();
    await cache.inspect(ids, signal);
    timer = pending.size > 0 ? schedule() : undefined;
  }

  function schedule(): NodeJS.Timeout {
    return setTimeout(() => void inspectPending().catch(failure.reject), delay);
  }

  async function read(): Promise<never> {
    for await (const event of events) {
      const { resource, action, id } = event;
      onEvent(event);
      if (resource !== "container" || action.startsWith("exec_")) continue;
      cache.addNamed(id);
      if (action === "destroy") cache.remove(id);
      // A destroyed container is inspected too: an inspection that is on its way may still report it as present.
      pending.add(id);
      timer ??= schedule();
    }
    throw new Error("the stream of events ended");
  }

  try {
    return await Promise.race([read(), failure.promise]);
  } finally {
    clearTimeout(timer);
  }
}
