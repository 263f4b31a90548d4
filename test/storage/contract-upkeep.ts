import assert from "node:assert/strict";
import { test } from "node:test";
import { clearAll, purgeAll } from "../../src/storage/task-pages.ts";
import { bytesOfTask } from "../../src/storage/task-quota.ts";
import type { NewTask, TaskStore } from "../../src/storage/task-store.ts";
import {
  accept,
  completed,
  day,
  hour,
  inDebt,
  listed,
  newTask,
  noon,
  port,
  running,
  withStore,
  type OpenStore,
} from "./contract-fixture.ts";

const ids = async (tasks: TaskStore, filter: Partial<{ kind: string; limit: number; before: number }> = {}) =>
  (await listed(tasks, { kind: null, limit: 100, before: null, ...filter })).map(({ id }) => id);

export function upkeepTests(open: OpenStore): void {
  listTests(open);
  stretchTests(open);
  quotaTests(open);
  purgeTests(open);
}

function listTests(open: OpenStore): void {
  test(
    "the list has tasks newest first, by kind, in pages, without cancelled and cleared ones",
    withStore(open, async ({ tasks }) => {
      const [a, b] = [await completed(tasks), await completed(tasks, { kind: "image_download" })];
      const withdrawn = await accept(tasks);
      await tasks.cancel({ id: withdrawn, now: noon });
      const [c, d] = [await running(tasks), await accept(tasks, { kind: "image_download" })];
      assert.deepEqual(await ids(tasks), [d, c, b, a]);
      assert.deepEqual(await ids(tasks, { kind: "image_download" }), [d, b]);
      assert.deepEqual(await ids(tasks, { limit: 2 }), [d, c]);
      assert.deepEqual(await ids(tasks, { limit: 2, before: c }), [b, a]);
      assert.deepEqual(await ids(tasks, { kind: "image_download", limit: 1, before: d }), [b]);
      assert.deepEqual(await ids(tasks, { before: a }), []);
    }),
  );

  test(
    "clear hides completed and failed tasks once, and returns their ids in ascending order",
    withStore(open, async ({ tasks }) => {
      const [a, b] = [await completed(tasks), await completed(tasks, { kind: "image_download" })];
      const [c, d] = [await inDebt(tasks), await running(tasks)];
      const e = await accept(tasks);
      assert.equal(await tasks.clearOne({ id: d }), false);
      assert.deepEqual(await clearAll(tasks, { kind: "image_download" }), [b]);
      assert.deepEqual(await clearAll(tasks, { kind: null }), [a, c]);
      assert.equal(await tasks.clearOne({ id: a }), false);
      assert.deepEqual(await ids(tasks), [e, d]);
      assert.equal(await tasks.get(a), undefined);
    }),
  );
}

/** No call of the store goes through more than a stretch, whatever it finds there. */
function stretchTests(open: OpenStore): void {
  test(
    "list, clear and purge read many tasks in pages of rows",
    withStore(open, async ({ tasks }) => {
      const all = await Promise.all(Array.from({ length: 1200 }, () => completed(tasks)));
      all.sort((a, b) => b - a);
      const first = await tasks.list({ kind: null, limit: 5000, before: null });
      assert.deepEqual([first.items.length, first.next], [100, all[99]]);
      const none = await tasks.list({ kind: "image_remove", limit: 5000, before: null });
      assert.deepEqual([none.items.length, none.next], [0, all[499]], "also where nothing is found");
      assert.deepEqual(await ids(tasks, { limit: 5000 }), all);
      const cleared = await tasks.clear({ kind: null, before: null });
      assert.deepEqual([cleared.items.length, cleared.next], [200, all[199]]);
      assert.deepEqual(
        await tasks.list({ kind: null, limit: 5000, before: null, user: "another" }),
        { items: [], next: null },
        "other users' tasks are not read",
      );
      assert.equal((await clearAll(tasks, { kind: null })).length, 1000);
      const left = await tasks.list({ kind: null, limit: 5000, before: null });
      assert.deepEqual(left, { items: [], next: null }, "cleared ones are not read");
      const purged = await tasks.purge({ ...limits, now: noon + 2 * day, from: null });
      assert.deepEqual([purged.dropped, purged.next?.before], [200, all[199]]);
      assert.equal(await purgeAll(tasks, { ...limits, maxEvents: 1e9, now: noon + 2 * day }), 1000);
    }),
  );

  test(
    "a page is limited in bytes, and a cleared task keeps only a short request",
    withStore(open, async ({ tasks }) => {
      const params = JSON.stringify({ a: "x".repeat(900_000) });
      const made: number[] = [];
      for (let n = 0; n < 5; n++) made.unshift(await completed(tasks, { params }));
      assert.deepEqual(
        (await tasks.list({ kind: null, limit: 99, before: null })).items.map(({ id }) => id),
        made.slice(0, 1),
      );
      assert.deepEqual((await tasks.clear({ kind: null, before: null })).items, made.slice(0, 2));
      assert.deepEqual(
        (await Promise.all(made.map((id) => tasks.row(id)))).map((row) => row?.params.length),
        [2, 2, params.length, params.length, params.length],
      );
      const short = await completed(tasks);
      await tasks.clearOne({ id: short });
      assert.equal((await tasks.row(short))?.params, '{"a":1}');
    }),
  );
}

/** What each user has in the store is counted by it. */
function quotaTests(open: OpenStore): void {
  const params = JSON.stringify({ a: "x".repeat(10_000) });
  const each = params.length + bytesOfTask;
  const over = async (tasks: TaskStore, changes: Partial<NewTask>) =>
    ((await tasks.accept(newTask({ params, ...changes }))) as { over?: string }).over;

  test(
    "a quota counts tasks that are not over, each user's own, whatever else is accepted at the same moment",
    withStore(open, async ({ tasks }) => {
      const quota = { tasks: 3, bytes: 1e9 };
      const waiting = await accept(tasks, { quota });
      const begun = await running(tasks, { quota });
      const offered = await Promise.all(Array.from({ length: 20 }, () => over(tasks, { quota })));
      assert.equal(offered.filter((part) => part === undefined).length, 1);
      assert.deepEqual([...new Set(offered)], [undefined, "tasks"]);
      assert.equal(await over(tasks, { quota, user: "another" }), undefined);
      await tasks.cancel({ id: waiting, now: noon });
      assert.equal(await over(tasks, { quota }), undefined, "one was withdrawn");
      await tasks.cancel({ id: begun, now: noon });
      assert.equal(await over(tasks, { quota }), "tasks", "it is being undone");
      await tasks.finish({ id: begun, error: null, undoFailed: false, now: noon });
      assert.equal(await over(tasks, { quota }), undefined);
    }),
  );

  test(
    "a quota counts the bytes of all tasks, until they are cleared, cancelled or purged",
    withStore(open, async ({ tasks }) => {
      const full = (count: number) => ({ quota: { tasks: 99, bytes: count * each + count } });
      const [one, two] = [await accept(tasks, { params }), await running(tasks, { params })];
      const done = await completed(tasks, { params });
      await inDebt(tasks, { params });
      assert.equal(await over(tasks, full(4)), "bytes");
      await tasks.cancel({ id: one, now: noon });
      assert.equal(await over(tasks, { ...full(4), params: "{}" }), undefined, "a withdrawn one counts little");
      assert.equal(await over(tasks, full(4)), "bytes");
      await tasks.cancel({ id: two, now: noon });
      await tasks.finish({ id: two, error: null, undoFailed: false, now: noon });
      assert.equal(await over(tasks, full(4)), undefined, "so does one that was undone");
      await tasks.clearOne({ id: done });
      assert.equal(await over(tasks, full(4)), undefined, "and a cleared one");
      assert.equal(await over(tasks, full(4)), "bytes");
      for (const { task } of await tasks.active()) await tasks.cancel({ id: task.id, now: noon });
      await clearAll(tasks, { kind: null });
      await purgeAll(tasks, { ...limits, now: noon + 2 * day });
      // The one whose undo has failed stays, without its request.
      const left = each + bytesOfTask + "{}".length;
      assert.equal(await over(tasks, { quota: { tasks: 99, bytes: left - 1 } }), "bytes");
      assert.equal(await over(tasks, { quota: { tasks: 99, bytes: left } }), undefined);
    }),
  );

  test(
    "a cancelled task whose undo failed is shown, and keeps its request; an error of a cleared task goes if it is long",
    withStore(open, async ({ tasks }) => {
      const id = await running(tasks, { params });
      await tasks.cancel({ id, now: noon });
      await tasks.finish({ id, error: "Undoing failed. ".repeat(500), undoFailed: true, now: noon });
      assert.equal((await tasks.get(id))?.params, params);
      await tasks.clearOne({ id });
      const row = await tasks.row(id);
      assert.deepEqual([row?.params, row?.error, row?.state], ["{}", null, "error"]);
      for (const [params, error, kept] of [
        ["{}", "x".repeat(5000), null],
        [JSON.stringify("x".repeat(5000)), "It failed.", null],
        ["{}", "It failed.", "It failed."],
      ] as const) {
        const failed = await running(tasks, { params });
        await tasks.complete({ id: failed, result: 1, error, now: noon });
        await tasks.clearOne({ id: failed });
        assert.deepEqual((await tasks.row(failed))?.error, kept);
      }
    }),
  );
}

const limits = { maxAge: 30 * day, minAge: day, maxCount: 1000, maxEvents: 1000 };

function purgeTests(open: OpenStore): void {
  test(
    "purge deletes by age and by number, oldest first, and nothing below the minimum age",
    withStore(open, async ({ tasks }) => {
      const old = await completed(tasks, {}, noon - 31 * day);
      const [a, b, c] = [await completed(tasks), await completed(tasks), await completed(tasks)];
      assert.ok((await purgeAll(tasks, { ...limits, now: noon })) >= 1);
      assert.deepEqual(await ids(tasks), [c, b, a]);
      assert.equal(await tasks.get(old), undefined);
      await purgeAll(tasks, { ...limits, maxCount: 1, maxAge: 0, now: noon + 23 * hour });
      assert.deepEqual(await ids(tasks), [c, b, a], "under a day all stay, whatever their number and age");
      await purgeAll(tasks, { ...limits, maxCount: 1, now: noon + 25 * hour });
      assert.deepEqual(await ids(tasks), [c], "the newest stay");
    }),
  );

  test(
    "purge deletes cleared tasks after the minimum age, and none that is not final or whose undo failed",
    withStore(open, async ({ tasks }) => {
      const cleared = await completed(tasks);
      assert.equal(await tasks.clearOne({ id: cleared }), true);
      const [waiting, active, owing] = [await accept(tasks), await running(tasks), await inDebt(tasks)];
      assert.equal(await purgeAll(tasks, { ...limits, now: noon + hour }), 0);
      assert.equal(await purgeAll(tasks, { ...limits, now: noon + 2 * day }), 1);
      await purgeAll(tasks, { ...limits, maxCount: 0, now: noon + 400 * day });
      assert.deepEqual(await ids(tasks), [owing, active, waiting]);
    }),
  );

  test(
    "purge keeps port claims, deletes events by number, and keys after the minimum age",
    withStore(open, async ({ tasks, events }) => {
      await completed(tasks, { creates: "docker/c/web", ports: [port(80)], idempotency: { key: "k", hash: "h" } });
      await purgeAll(tasks, { ...limits, now: noon + hour });
      assert.ok("reused" in (await tasks.accept(newTask({ idempotency: { key: "k", hash: "h2" } }))));
      await purgeAll(tasks, { ...limits, maxEvents: 2, now: noon + 40 * day });
      const { events: rows, first, last } = await events.read({ after: 0, limit: 10 });
      assert.deepEqual([rows.length, first, last], [2, 2, 3]);
      assert.deepEqual(await ids(tasks), []);
      assert.ok("claimed" in (await tasks.accept(newTask({ ports: [port(80)] }))));
      assert.equal((await tasks.claims())[0]?.owner, "docker/c/web");
    }),
  );
}
