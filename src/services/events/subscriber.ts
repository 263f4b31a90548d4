import type { StreamItem } from "../contract/services.ts";

/** A subscriber that is further behind reads from the store again, and misses progress only. */
const backlogLimit = 1000;
/** Milliseconds after which a subscriber that waits looks after its session again. */
const sessionCheck = 5_000;

/** A reader of the stream of events. */
export interface Subscriber {
  /** The user whose events it gets; undefined: it gets all. */
  only: string | undefined;
  /** Ids of that user's tasks, as far as they are known. */
  own: Set<number>;
  /** Items that it has not read yet. */
  backlog: StreamItem[];
  /** True: the backlog is not all that there is, so it must read from the store. */
  behind: boolean;
  /** Ends its wait for an item. */
  wake: () => void;
}

/** Gives an item to a subscriber, if the item is meant for it. */
export function deliver(subscriber: Subscriber, item: StreamItem): void {
  if (subscriber.behind || !isMeantFor(subscriber, item)) return;
  if (subscriber.backlog.length < backlogLimit) subscriber.backlog.push(item);
  else {
    subscriber.behind = true;
    subscriber.backlog = [];
  }
  subscriber.wake();
}

/**
 * Tells whether a subscriber gets an item. One that gets its own user's only learns that user's tasks from their events.
 */
export function isMeantFor({ only, own }: Subscriber, item: StreamItem): boolean {
  if (only === undefined || item.type === "reset") return true;
  if (item.type === "progress") return own.has(item.task.tid);
  const { user, data } = item.event;
  const tid = typeof data === "object" && data !== null && "tid" in data ? data.tid : undefined;
  if (user === only && typeof tid === "number") own.add(tid);
  return user === only;
}

/** Waits for an item, the end, or the time to look after the session again. */
export async function waitForItem(subscriber: Subscriber): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, sessionCheck);
  subscriber.wake = resolve;
  await promise;
  clearTimeout(timer);
  subscriber.wake = () => undefined;
}
