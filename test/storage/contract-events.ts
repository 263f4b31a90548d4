import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventStore } from "../../src/storage/event-store.ts";
import { accept, noon, running, withStore, type OpenStore } from "./contract-fixture.ts";

const now = noon + 7_500;

async function told(events: EventStore) {
  const { events: rows } = await events.read({ after: 0, limit: 100 });
  return rows
    .map(({ data }) => JSON.parse(data) as Record<string, unknown>)
    .map(({ tid, state, result }) => [tid, state, result]);
}

export function eventTests(open: OpenStore): void {
  test(
    "an event has the documented fields",
    withStore(open, async ({ tasks, events }) => {
      const id = await running(tasks, { kind: "image_download", name: "nginx:1", user: "eva" });
      await tasks.complete({ id, result: 0, error: null, now });
      const { events: rows } = await events.read({ after: 0, limit: 100 });
      const last = rows.at(-1);
      assert.deepEqual([last?.kind, last?.user, last?.ts], ["background", "eva", Math.floor(now / 1000)]);
      const data = { category: "image_download", state: "completed", container: "nginx:1", tid: id, result: 0 };
      assert.deepEqual(JSON.parse(last?.data ?? ""), data);
      assert.ok(!("result" in (JSON.parse(rows[0]?.data ?? "") as object)), "no result before the end");
    }),
  );

  test(
    "every change of state makes one event, in order",
    withStore(open, async ({ tasks, events }) => {
      const done = await running(tasks);
      await tasks.complete({ id: done, result: 0, error: null, now });
      const failed = await running(tasks);
      await tasks.startUndo({ id: failed, error: "no", now });
      await tasks.finish({ id: failed, error: null, undoFailed: false, now });
      const cancelled = await running(tasks);
      await tasks.cancel({ id: cancelled, now });
      await tasks.finish({ id: cancelled, error: null, undoFailed: false, now });
      const withdrawn = await accept(tasks);
      await tasks.cancel({ id: withdrawn, now });
      assert.deepEqual(await told(events), [
        [done, "waiting", undefined],
        [done, "running", undefined],
        [done, "completed", 0],
        [failed, "waiting", undefined],
        [failed, "running", undefined],
        [failed, "running", undefined],
        [failed, "error", 1],
        [cancelled, "waiting", undefined],
        [cancelled, "running", undefined],
        [cancelled, "running", undefined],
        [cancelled, "cancelled", 1],
        [withdrawn, "waiting", undefined],
        [withdrawn, "cancelled", undefined],
      ]);
    }),
  );

  test(
    "a call that changes nothing makes no event",
    withStore(open, async ({ tasks, events }) => {
      const id = await accept(tasks);
      await tasks.cancel({ id, now });
      const before = await told(events);
      await tasks.claim({ id, now });
      await tasks.cancel({ id, now });
      await tasks.complete({ id, result: 0, error: null, now });
      await tasks.startUndo({ id, error: "no", now });
      await tasks.finish({ id, error: null, undoFailed: false, now });
      assert.deepEqual(await told(events), before);
    }),
  );

  test(
    "events are read after a number, in order, with the first and last stored number",
    withStore(open, async ({ events }) => {
      assert.deepEqual(await events.read({ after: 0, limit: 5 }), { events: [], first: 1, last: 0 });
      for (const data of ["1", "2", "3", "4"]) await events.add({ ts: 1, kind: "test", user: "eva", data });
      const { events: rows, first, last } = await events.read({ after: 1, limit: 2 });
      assert.deepEqual([rows.map(({ data }) => data), first, last], [["2", "3"], 1, 4]);
    }),
  );
}
