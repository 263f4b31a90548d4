import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createEventHub, type EventHub } from "../../src/services/events/event-hub.ts";
import type { Caller, StreamItem } from "../../src/services/contract/services.ts";
import { openTemporary, type Temporary } from "../storage/temporary.ts";

const user = { name: "admin", role: "admin" } as const;
const caller: Caller = { sid: "admin's", address: "127.0.0.1" };

let store: Temporary;
let hub: EventHub;
before(async () => {
  store = await openTemporary();
  const sessions = { authenticate: () => user } as unknown as Parameters<typeof createEventHub>[0]["sessions"];
  const quota = { take: () => undefined };
  hub = createEventHub({ events: store.database.events, sessions, quota, tasksOf: async () => [] });
  await add();
});
after(() => store.close());

/** Returns the number of a new event. */
function add(): Promise<number> {
  return store.database.events.add({ ts: 0, kind: "container", user: "admin", data: "{}" });
}

/** The first items of a stream, each as `event N` or `reset N`. */
async function firstOf(items: AsyncIterable<StreamItem>, count: number): Promise<string[]> {
  const found: string[] = [];
  for await (const item of items) {
    found.push(
      item.type === "event" ? `event ${item.event.seq}` : item.type === "reset" ? `reset ${item.seq}` : "progress",
    );
    if (found.length === count) break;
  }
  return found;
}

test("a stream has all events from the moment in which it is open, however late it is read", async () => {
  const items = await hub.stream(caller, undefined, new AbortController().signal);
  const next = await add();
  assert.deepEqual(await firstOf(items, 1), [`event ${next}`]);
});

test("a number of the future is told when the stream opens, and misses none of what comes after", async () => {
  const last = await add();
  const items = await hub.stream(caller, last + 1, new AbortController().signal);
  const next = await add();
  assert.deepEqual(await firstOf(items, 2), [`reset ${last}`, `event ${next}`]);
});
