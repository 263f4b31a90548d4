import type { Container, Engine, EngineEvent, EngineInfo } from "../engines/engine.ts";
import { sleep } from "../util/sleep.ts";
import { createAvailability } from "./availability.ts";
import { createContainerCache } from "./container-cache.ts";
import { followEvents } from "./event-follower.ts";
import type { ViewListener } from "./view-listener.ts";

/** The live view of one engine's containers. It is answered from memory, also while the engine is away. */
export interface EngineView {
  /** The engine that this is a view of. */
  readonly engine: Engine;
  /** Tells whether the engine answered last time. While it does not, the view has the last known containers. */
  available(): boolean;
  /** Returns what the engine said of itself last, or `undefined` while it is away. */
  info(): EngineInfo | undefined;
  /** Returns how often the engine has stopped answering since the station's start. */
  outages(): number;
  /** Resolves when the first attempt to list the containers has succeeded or failed. */
  readonly firstAttempt: Promise<void>;
  /** Resolves when the engine answers, or when the signal aborts. */
  whenAvailable(signal: AbortSignal): Promise<void>;
  /** Inspects one container now, without waiting for an event. Throws `engine_unavailable` if the engine is away. */
  refresh(id: string): Promise<void>;
  /** Returns the container with this exact name, if any. */
  byName(name: string): Container | undefined;
  /** Returns the container with this full id, if any. */
  byId(id: string): Container | undefined;
  /** Iterates over all containers, in no particular order. */
  containers(): Iterable<Container>;
}

/** Milliseconds. */
export interface ViewTimes {
  /** Between two lists of all containers, which find what no event told. */
  resyncInterval: number;
  /** Between two pings. */
  pingInterval: number;
  /**
   * After which an engine without an answer is asked once more; then it counts as away. Drivers give up after 2 s; this
   * catches one that hangs.
   */
  pingTimeout: number;
  /** For the inspection of one container. */
  inspectTimeout: number;
  /** Before the first new attempt to reach an engine that is away; each further delay is twice the one before. */
  minRetryDelay: number;
  /** The longest delay between two attempts. */
  maxRetryDelay: number;
  /** For which events are collected before their containers are inspected together. */
  eventDelay: number;
}

const defaultTimes: ViewTimes = {
  resyncInterval: 60_000,
  pingInterval: 5_000,
  pingTimeout: 3_000,
  inspectTimeout: 5_000,
  minRetryDelay: 100,
  maxRetryDelay: 400,
  eventDelay: 50,
};

/**
 * Keeps a live view of one engine's containers until the signal aborts. It lists them when the engine comes up, then
 * follows its events, each of which is only a hint to inspect a container again. An engine that is away is tried again at
 * least twice a second.
 */
export function followEngine(
  engine: Engine,
  listener: ViewListener,
  signal: AbortSignal,
  times = defaultTimes,
): EngineView {
  const availability = createAvailability();
  let info: EngineInfo | undefined;
  /** The present attempt has come as far as to follow the engine's events. */
  let followed = false;
  const cache = createContainerCache(engine, listener, times.inspectTimeout);

  async function ping(): Promise<void> {
    const over = new AbortController();
    const timeout = sleep(times.pingTimeout, over.signal).then(() => Promise.reject(new Error("no answer")));
    info = await Promise.race([engine.info(), timeout]).finally(() => over.abort());
  }

  /** Follows the engine until a call fails or its events end. Always ends by throwing. */
  async function followOnce(): Promise<never> {
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    try {
      await ping();
      const events = engine.events(both);
      const pings = repeat(times.pingInterval, ping, both);
      await Promise.race([cache.resync(both), pings]);
      availability.set(true);
      followed = true;
      const onEvent = (event: EngineEvent): void => listener.event?.(engine, event, cache.byId(event.id));
      return await Promise.race([
        followEvents(events, { cache, onEvent, delay: times.eventDelay, signal: both }),
        repeat(times.resyncInterval, () => cache.resync(both), both),
        pings,
      ]);
    } finally {
      over.abort();
    }
  }

  /** Returns whether an engine that was followed until now still answers: on a busy host one call may be late. */
  async function stillAnswers(): Promise<boolean> {
    if (!followed || signal.aborted) return false;
    return ping().then(
      () => true,
      () => false,
    );
  }

  async function followForever(): Promise<void> {
    const { minRetryDelay, maxRetryDelay } = times;
    let delay = minRetryDelay;
    while (!signal.aborted) {
      const startedAt = performance.now();
      followed = false;
      await followOnce().catch(() => undefined);
      if (!(await stillAnswers())) availability.set(false);
      delay = performance.now() - startedAt > maxRetryDelay ? minRetryDelay : Math.min(delay * 2, maxRetryDelay);
      await sleep(delay, signal);
    }
  }

  void followForever();
  return {
    engine,
    available: availability.isAvailable,
    info: () => (availability.isAvailable() ? info : undefined),
    outages: availability.outages,
    firstAttempt: availability.firstAttempt,
    whenAvailable: availability.whenAvailable,
    async refresh(id) {
      cache.addNamed(id);
      await cache.inspect([id], AbortSignal.any([signal, AbortSignal.timeout(10_000)]));
    },
    byName: cache.byName,
    byId: cache.byId,
    containers: cache.all,
  };
}

/** Repeats a piece of work, with an interval in milliseconds between two runs. Throws when it fails or the signal aborts. */
async function repeat(interval: number, work: () => Promise<unknown>, signal: AbortSignal): Promise<never> {
  for (;;) {
    await sleep(interval, signal);
    signal.throwIfAborted();
    await work();
  }
}
