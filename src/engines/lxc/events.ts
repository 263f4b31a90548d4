import { EventEmitter, on } from "node:events";
import { watch } from "node:fs";

import type { EngineEvent } from "../engine.ts";
import { unavailable } from "./failures.ts";

/** Containers by name; with the run, as the inode of the command socket, when they are up. */
export type Snapshot = ReadonlyMap<string, string | undefined>;

/** The events of one LXC path. */
export interface LxcEvents {
  /** As `Engine.events`. While somebody is subscribed the containers are looked at twice a second. */
  subscribe(signal: AbortSignal): AsyncIterable<EngineEvent>;
  /** Takes a snapshot now, and resolves when all subscribers were told what has changed. */
  refresh(): Promise<void>;
  /** Tells all subscribers of an event that no look can find. */
  announce(event: EngineEvent): void;
}

interface Deps {
  path: string;
  /** As it is now. Throws `engine_unavailable` when LXC's path is gone. */
  snapshot: (before: Snapshot) => Promise<Snapshot>;
}

/** LXC tells nobody of a start or an end; to look costs a millisecond. */
const pollEvery = 500;
/** Files that are made together are one look. */
const coalesce = 20;

/**
 * Returns the events of one LXC path: what differs between two snapshots. The station refreshes after all that it does.
 */
export function createLxcEvents({ path, snapshot }: Deps): LxcEvents {
  const hub = new EventEmitter().setMaxListeners(0);
  let listeners = 0;
  let seen: Snapshot | undefined;
  let lastLook: Promise<void> = Promise.resolve();
  let nextLook: Promise<void> | undefined;
  let end: (() => void) | undefined;

  /** Takes the next snapshot. Calls that come while one is taken share the next: on a slow host they would pile up. */
  function refresh(): Promise<void> {
    nextLook ??= lastLook.then(() => {
      nextLook = undefined;
      return lookNow();
    });
    lastLook = nextLook;
    return lastLook;
  }

  async function lookNow(): Promise<void> {
    if (listeners === 0) return;
    try {
      const before = seen;
      seen = await snapshot(before ?? new Map());
      if (before) for (const event of difference(before, seen)) hub.emit("event", event);
    } catch (error) {
      seen = undefined;
      // Those who listen are told; without one it would end the process.
      if (hub.listenerCount("error") > 0) hub.emit("error", error);
    }
  }

  function begin(): () => void {
    let soon: NodeJS.Timeout | undefined;
    const poll = setInterval(() => void refresh(), pollEvery);
    const watcher = watchFolder(path, () => {
      soon ??= setTimeout(() => {
        soon = undefined;
        void refresh();
      }, coalesce);
    });
    return () => {
      clearInterval(poll);
      clearTimeout(soon);
      watcher?.close();
      seen = undefined;
    };
  }

  function subscribe(signal: AbortSignal): AsyncIterable<EngineEvent> {
    const messages = on(hub, "event", { signal }) as AsyncIterable<[EngineEvent]>;
    if (++listeners === 1) end = begin();
    const leave = once(() => {
      if (--listeners === 0) end?.();
    });
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    // From here on everything is told.
    else void refresh();
    return read(messages, signal, leave);
  }

  async function* read(
    messages: AsyncIterable<[EngineEvent]>,
    signal: AbortSignal,
    leave: () => void,
  ): AsyncGenerator<EngineEvent, void, undefined> {
    try {
      for await (const [event] of messages) yield event;
      if (!signal.aborted) throw unavailable("its events ended");
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      leave();
    }
  }

  return { subscribe, refresh, announce: (event) => void hub.emit("event", event) };
}

function* difference(before: Snapshot, now: Snapshot): Generator<EngineEvent> {
  const event = (action: string, id: string): EngineEvent => ({ resource: "container", action, id });
  for (const [name, run] of before) {
    if (run !== undefined && now.get(name) !== run) yield event("die", name);
    if (!now.has(name)) yield event("destroy", name);
  }
  for (const [name, run] of now) {
    if (!before.has(name)) yield event("create", name);
    if (run !== undefined && before.get(name) !== run) yield event("start", name);
  }
}

/** Watches a folder, which only makes events quicker: one that cannot be watched is polled all the same. */
function watchFolder(path: string, changed: () => void): { close(): void } | undefined {
  try {
    return watch(path, { persistent: false }, changed).on("error", () => undefined);
  } catch {
    return undefined;
  }
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act();
  };
}
