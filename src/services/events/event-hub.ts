import type { EventStore } from "../../storage/event-store.ts";
import type { Progress } from "../../tasks/progress.ts";
import { onlyOf } from "../access/policy.ts";
import type { Caller, EventService, StreamItem } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";
import type { ConnectionQuota } from "../access/connection-quota.ts";
import { batch, eventOf, replayEvents } from "./event-replay.ts";
import { deliver, isMeantFor, type Subscriber, waitForItem } from "./subscriber.ts";

export interface EventHub extends Pick<EventService, "stream"> {
  /** Returns how many streams are open. */
  open(): number;
  /** Says that something was committed, so there may be new events. */
  committed(): void;
  /** Tells the streams about the progress of a task. */
  progress(task: number, progress: Progress): void;
}

export interface EventHubOptions {
  /** The store of events. */
  events: EventStore;
  /** Tells who calls. */
  sessions: Sessions;
  /** Limits the connections that a user leaves waiting. */
  quota: ConnectionQuota;
  /** Returns the ids of a user's tasks that run now. */
  tasksOf(user: string): Promise<number[]>;
}

/**
 * Streams the events of the store. The hub reads each new event once and hands it to all subscribers; while there are none
 * it reads nothing.
 */
export function createEventHub({ events, sessions, quota, tasksOf }: EventHubOptions): EventHub {
  const subscribers = new Set<Subscriber>();
  /** Number of the last event that was handed out; undefined while there are no subscribers. */
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
    for (const subscriber of subscribers) deliver(subscriber, item);
  }

  /** `after`: what the client has seen; `last`: the last event when it was told that the stream is open. */
  async function* follow(
    caller: Caller,
    { after, last }: { after: number; last: number },
    signal: AbortSignal,
    only: string | undefined,
  ): AsyncGenerator<StreamItem, void, undefined> {
    const own = new Set(only === undefined ? [] : await tasksOf(only));
    const subscriber: Subscriber = { only, own, backlog: [], behind: true, wake: () => undefined };
    cursor ??= last;
    subscribers.add(subscriber);
    signal.addEventListener("abort", () => subscriber.wake(), { once: true });
    let seen = Math.min(after, last);
    try {
      if (after > last) yield { type: "reset", seq: last };
      while (!signal.aborted) {
        if (subscriber.behind) {
          for await (const item of replayEvents(events, subscriber, seen)) {
            seen = item.type === "event" ? item.event.seq : item.type === "reset" ? item.seq : seen;
            if (isMeantFor(subscriber, item)) yield item;
          }
        }
        for (const item of subscriber.backlog.splice(0)) {
          if (item.type === "event" && item.event.seq <= seen) continue;
          if (item.type === "event") seen = item.event.seq;
          yield item;
        }
        if (!subscriber.behind && subscriber.backlog.length === 0 && !signal.aborted) await waitForItem(subscriber);
        sessions.authenticate(caller, true);
      }
    } finally {
      subscribers.delete(subscriber);
    }
  }

  return {
    async stream(caller, after, signal) {
      const user = sessions.authenticate(caller);
      const only = onlyOf(user, "event:read");
      quota.take(user.name, signal);
      // Before the client is answered: it gets whatever comes after that.
      const { last } = await events.read({ after: Number.MAX_SAFE_INTEGER, limit: 0 });
      return follow(caller, { after: after ?? last, last }, signal, only);
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
