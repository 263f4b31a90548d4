import type { Container, Engine, EngineEvent } from "../engines/engine.ts";
import { hasCode } from "../errors.ts";
import { createMutex } from "../util/concurrency.ts";
import { sleep } from "../util/sleep.ts";
import { createContainerTable } from "./container-table.ts";

/** What the view tells of; but for `event`, every listener is called after the view has changed. */
export interface ViewListener {
  /** All containers were listed anew. Of those in `uncertain` events came meanwhile: the list may be older. */
  resynced?(engine: Engine, containers: readonly Container[], uncertain: ReadonlySet<string>): void;
  started?(engine: Engine, container: Container): void;
  /** It was looked at; nothing need have changed. */
  seen?(engine: Engine, container: Container): void;
  gone?(engine: Engine, container: Container): void;
  /** The engine's own word, at once, before anything was looked at. `known`: the container as it was seen last. */
  event?(engine: Engine, event: EngineEvent, known: Container | undefined): void;
}

export interface EngineView {
  readonly engine: Engine;
  /** It answered last time. What is known while it is away is the last good list. */
  available(): boolean;
  /** How often it has stopped answering so far. */
  absences(): number;
  /** Resolves when it was tried for the first time, whatever came of it. */
  readonly tried: Promise<void>;
  /** Resolves when it answers, or the signal aborts. */
  whenAvailable(signal: AbortSignal): Promise<void>;
  /** Looks at one container now, in place of waiting for its event. */
  refresh(id: string): Promise<void>;
  byName(name: string): Container | undefined;
  byId(id: string): Container | undefined;
  containers(): Iterable<Container>;
}

export interface ViewTimes {
  resyncEvery: number;
  pingEvery: number;
  /** An engine says itself when it does not answer, after 2 s; one that does not even do that is away as well. */
  pingWithin: number;
  lookWithin: number;
  retryFrom: number;
  retryTo: number;
  /** Events that come close together are one look. */
  coalesce: number;
}

const usual: ViewTimes = {
  resyncEvery: 60_000,
  pingEvery: 5_000,
  pingWithin: 3_000,
  lookWithin: 5_000,
  retryFrom: 100,
  retryTo: 400,
  coalesce: 50,
};

/**
 * The live picture of one engine's containers: a list when it comes up, then its events, each only a hint to look
 * again. Runs until the signal aborts; an engine that is away is tried again, at most half a second apart.
 *
 * INVARIANT: looks at containers never overlap, and what an event named while a list was on its way is not taken from
 * that list. So an answer that is older than another never replaces it.
 */
export function followEngine(engine: Engine, listener: ViewListener, signal: AbortSignal, times = usual): EngineView {
  const table = createContainerTable();
  const waiters = new Set<() => void>();
  const first = Promise.withResolvers<void>();
  /** Ids that events named since the present list was asked for. */
  const named = new Set<string>();
  let available = false;
  let absences = 0;
  const lookExclusive = createMutex();

  async function resync(until: AbortSignal): Promise<void> {
    named.clear();
    const listed = await engine.containers.list(AbortSignal.any([until, AbortSignal.timeout(30_000)]));
    until.throwIfAborted();
    const ids = new Set(listed.map((container) => container.id));
    for (const id of table.ids().filter((known) => !ids.has(known) && !named.has(known))) lose(id);
    for (const container of listed) if (!named.has(container.id)) see(container);
    listener.resynced?.(engine, listed, named);
  }

  function see(container: Container): void {
    const before = table.put(container);
    if (container.pid > 0 && before?.pid !== container.pid) listener.started?.(engine, container);
    listener.seen?.(engine, container);
  }

  function lose(id: string): void {
    const known = table.drop(id);
    if (known) listener.gone?.(engine, known);
  }

  /** One look after the other. */
  function look(ids: readonly string[], until: AbortSignal): Promise<void> {
    return lookExclusive(() => lookNow(ids, until));
  }

  async function lookNow(ids: readonly string[], until: AbortSignal): Promise<void> {
    for (const id of ids) {
      const late = AbortSignal.timeout(times.lookWithin);
      const looked = engine.containers.getById(id, AbortSignal.any([until, late]));
      const container = await looked.catch((error: unknown) => {
        if (until.aborted || (hasCode(error, "engine_unavailable") && !late.aborted)) throw error;
        return null;
      });
      until.throwIfAborted();
      // A container that the engine cannot show stays as it was seen last; the next list looks again.
      if (container === null) continue;
      if (container) see(container);
      else lose(id);
    }
  }

  function setAvailable(now: boolean): void {
    if (available && !now) absences++;
    available = now;
    first.resolve();
    if (!now) return;
    for (const wake of waiters) wake();
    waiters.clear();
  }

  async function ping(): Promise<void> {
    const over = new AbortController();
    const late = sleep(times.pingWithin, over.signal).then(() => Promise.reject(new Error("no answer")));
    await Promise.race([engine.info(), late]).finally(() => over.abort());
  }

  /** One connection's life; ends by throwing. */
  async function session(): Promise<never> {
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    try {
      await ping();
      const events = engine.events(both);
      const pings = every(times.pingEvery, ping, both);
      await Promise.race([resync(both), pings]);
      setAvailable(true);
      const seen: Seen = {
        look: (ids) => look(ids, both),
        told: (event) => listener.event?.(engine, event, table.byId(event.id)),
        named: (id) => named.add(id),
        lose,
      };
      return await Promise.race([
        follow(events, times.coalesce, seen),
        every(times.resyncEvery, () => resync(both), both),
        pings,
      ]);
    } finally {
      setAvailable(false);
      over.abort();
    }
  }

  async function run(): Promise<void> {
    let retry = times.retryFrom;
    while (!signal.aborted) {
      const begun = performance.now();
      await session().catch(() => undefined);
      retry = performance.now() - begun > times.retryTo ? times.retryFrom : Math.min(retry * 2, times.retryTo);
      await sleep(retry, signal);
    }
  }

  void run();
  return {
    engine,
    available: () => available,
    absences: () => absences,
    tried: first.promise,
    async refresh(id) {
      named.add(id);
      await look([id], AbortSignal.any([signal, AbortSignal.timeout(10_000)]));
    },
    byName: table.byName,
    byId: table.byId,
    containers: table.all,
    whenAvailable: (until) =>
      new Promise((resolve) => {
        if (available || until.aborted) return resolve();
        waiters.add(resolve);
        until.addEventListener("abort", () => resolve(), { once: true });
      }),
  };
}

async function every(interval: number, work: () => Promise<unknown>, signal: AbortSignal): Promise<never> {
  for (;;) {
    await sleep(interval, signal);
    signal.throwIfAborted();
    await work();
  }
}

/** What is done about events. */
interface Seen {
  told(event: EngineEvent): void;
  named(id: string): void;
  lose(id: string): void;
  look(ids: readonly string[]): Promise<void>;
}

/** Collects the events of a moment, then looks once at each container they name. */
async function follow(events: AsyncIterable<EngineEvent>, coalesce: number, seen: Seen): Promise<never> {
  const dirty = new Set<string>();
  let failed: (error: unknown) => void = () => undefined;
  const failure = new Promise<never>((_, reject) => (failed = reject));
  failure.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;

  const flush = async () => {
    const ids = [...dirty];
    dirty.clear();
    await seen.look(ids);
    timer = dirty.size > 0 ? later() : undefined;
  };
  const later = () => setTimeout(() => void flush().catch(failed), coalesce);
  const read = async (): Promise<never> => {
    for await (const event of events) {
      const { resource, action, id } = event;
      seen.told(event);
      if (resource !== "container" || action.startsWith("exec_")) continue;
      seen.named(id);
      if (action === "destroy") seen.lose(id);
      // After a destroy too: a look that is on its way may still answer that it is there.
      dirty.add(id);
      timer ??= later();
    }
    throw new Error("the stream of events ended");
  };
  try {
    return await Promise.race([read(), failure]);
  } finally {
    clearTimeout(timer);
  }
}
