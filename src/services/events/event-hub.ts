import type { EventRow, EventStore } from "../../storage/event-store.ts";
import type { Progress } from "../../tasks/progress.ts";
import { onlyOf } from "../access/policy.ts";
import type { Caller, EventService, StationEvent, StreamItem } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";
import type { ConnectionQuota } from "../access/connection-quota.ts";

/** Events read from the store at once. */
const batch = 500;
/** A subscriber that is further behind reads from the store again, and misses progress only. */
const backlogLimit = 1000;
/** A stream whose session has ended is closed within this. */
const sessionCheck = 5_000;

interface Subscriber {
  /** Whose events it gets; absent: everybody's. */
  only: string | undefined;
  /** Their tasks, as far as they are known. */
  own: Set<number>;
  backlog: StreamItem[];
  /** The backlog was dropped: read from the store. */
  behind: boolean;
  wake: () => void;
}

export interface EventHub extends Pick<EventService, "stream"> {
  /** Streams that are open. */
  open(): number;
  /** Something was committed: there may be new events. */
  committed(): void;
  progress(task: number, progress: Progress): void;
}

export interface EventHubOptions {
  events: EventStore;
  sessions: Sessions;
  quota: ConnectionQuota;
  /** Ids of a user's tasks that run now. */
  tasksOf(user: string): Promise<number[]>;
}

/**
 * The store is the truth; the hub reads each new event once and hands it to all who listen. Nobody listening costs
 * nothing.
 */
export function createEventHub({ events, sessions, quota, tasksOf }: EventHubOptions): EventHub {
  const subscribers = new Set<Subscriber>();
  /** The last event that was handed out; undefined while nobody listens. */
  let cursor: number | undefined;
  let reading = false;
  let again = false;

  async function pump(): Promise<void> {
    if (reading) return void (again = true);
    reading = true;
    try {
      do {
        again = false;
        const read = cursor === undefined ? [] : (await events.read({ after: cursor, limit: batch })).events;
        if (read.length === batch) again = true;
        for (const row of read) publish({ type: "event", event: eventOf(row) });
        cursor = subscribers.size === 0 ? undefined : (read.at(-1)?.seq ?? cursor);
      } while (again && subscribers.size > 0);
    } finally {
      reading = false;
    }
  }

  function publish(item: StreamItem): void {
    for (const subscriber of subscribers) {
      if (subscriber.behind || !concerns(subscriber, item)) continue;
      if (subscriber.backlog.length < backlogLimit) subscriber.backlog.push(item);
      else {
        subscriber.behind = true;
        subscriber.backlog = [];
      }
      subscriber.wake();
    }
  }

  async function* follow(
    caller: Caller,
    after: number | undefined,
    signal: AbortSignal,
    only: string | undefined,
  ): AsyncGenerator<StreamItem, void, undefined> {
    const own = new Set(only === undefined ? [] : await tasksOf(only));
    const subscriber: Subscriber = { only, own, backlog: [], behind: after !== undefined, wake: () => undefined };
    const { last } = await events.read({ after: Number.MAX_SAFE_INTEGER, limit: 0 });
    cursor ??= last;
    subscribers.add(subscriber);
    signal.addEventListener("abort", () => subscriber.wake(), { once: true });
    let seen = after ?? last;
    try {
      while (!signal.aborted) {
        if (subscriber.behind) {
          for await (const item of replay(subscriber, seen)) {
            seen = item.type === "event" ? item.event.seq : item.type === "reset" ? item.seq : seen;
            if (concerns(subscriber, item)) yield item;
          }
        }
        for (const item of subscriber.backlog.splice(0)) {
          if (item.type === "event" && item.event.seq <= seen) continue;
          if (item.type === "event") seen = item.event.seq;
          yield item;
        }
        if (!subscriber.behind && subscriber.backlog.length === 0 && !signal.aborted) await nextItem(subscriber);
        sessions.authenticate(caller, true);
      }
    } finally {
      subscribers.delete(subscriber);
    }
  }

  /** From the store, until the subscriber has all that was there when the last read began. */
  async function* replay(subscriber: Subscriber, after: number): AsyncGenerator<StreamItem, void, undefined> {
    let seen = after;
    for (;;) {
      subscriber.behind = false;
      const { events: rows, first, last } = await events.read({ after: seen, limit: batch });
      if (seen < first - 1 || seen > last) {
        seen = seen > last ? last : first - 1;
        yield { type: "reset", seq: seen };
        continue;
      }
      for (const row of rows) yield { type: "event", event: eventOf(row) };
      seen = rows.at(-1)?.seq ?? seen;
      if (rows.length < batch && !subscriber.behind) return;
    }
  }

  return {
    async stream(caller, after, signal) {
      const user = sessions.authenticate(caller);
      const only = onlyOf(user, "event:read");
      quota.take(user.name, signal);
      return follow(caller, after, signal, only);
    },
    open: () => subscribers.size,
    committed() {
      if (subscribers.size > 0) pump().catch(() => undefined);
    },
    progress(tid, { progress, detail }) {
      if (subscribers.size > 0) publish({ type: "progress", task: { tid, progress, detail_state: detail } });
    },
  };
}

/** A subscriber that is shown only its own gets to know its tasks by their events. */
function concerns({ only, own }: Subscriber, item: StreamItem): boolean {
  if (only === undefined || item.type === "reset") return true;
  if (item.type === "progress") return own.has(item.task.tid);
  const { user, data } = item.event;
  const tid = (data as { tid?: unknown } | null)?.tid;
  if (user === only && typeof tid === "number") own.add(tid);
  return user === only;
}

/** Waits for an item, the end, or the time to look after the session again. */
async function nextItem(subscriber: Subscriber): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, sessionCheck);
  subscriber.wake = resolve;
  await promise;
  clearTimeout(timer);
  subscriber.wake = () => undefined;
}

function eventOf({ seq, ts, kind, user, data }: EventRow): StationEvent {
  return { seq, ts, kind, user, data: JSON.parse(data) as unknown };
}
