import assert from "node:assert/strict";
import { test } from "node:test";
import { accept, noon, running, withStore, type OpenStore } from "./contract-fixture.ts";

const now = noon + 5;

/** Of two that compete for a task, one wins, whichever comes first. */
export function raceTests(open: OpenStore): void {
  test(
    "of a claim and a cancel at the same time one succeeds",
    withStore(open, async ({ tasks }) => {
      const first = await accept(tasks);
      const [claimed, cancelled] = await Promise.all([
        tasks.claim({ id: first, now }),
        tasks.cancel({ id: first, now }),
      ]);
      assert.deepEqual([claimed?.state, claimed?.start, cancelled], ["running", now, "undoing"]);
      const second = await accept(tasks);
      const [withdrawn, late] = await Promise.all([
        tasks.cancel({ id: second, now }),
        tasks.claim({ id: second, now }),
      ]);
      assert.deepEqual([withdrawn, late], ["withdrawn", undefined]);
      assert.equal(await tasks.cancel({ id: second, now }), "final");
      const third = await running(tasks);
      assert.equal(await tasks.claim({ id: third, now }), undefined, "claimed once");
    }),
  );

  test(
    "of a pivot and a cancel at the same time one succeeds",
    withStore(open, async ({ tasks }) => {
      const first = await running(tasks);
      assert.deepEqual(await Promise.all([tasks.passPivot(first), tasks.cancel({ id: first, now })]), [
        true,
        "past_pivot",
      ]);
      assert.equal(await tasks.passPivot(first), true, "again, after a restart");
      assert.equal((await tasks.get(first))?.pivot, 1);
      const second = await running(tasks);
      assert.deepEqual(await Promise.all([tasks.cancel({ id: second, now }), tasks.passPivot(second)]), [
        "undoing",
        false,
      ]);
      assert.equal((await tasks.get(second))?.pivot, 0);
    }),
  );

  test(
    "of an end and a cancel at the same time one succeeds",
    withStore(open, async ({ tasks }) => {
      const first = await running(tasks);
      const end = (id: number) => tasks.complete({ id, result: 0, error: null, now });
      assert.deepEqual(await Promise.all([end(first), tasks.cancel({ id: first, now })]), [true, "final"]);
      const second = await running(tasks);
      assert.deepEqual(await Promise.all([tasks.cancel({ id: second, now }), end(second)]), ["undoing", false]);
      assert.deepEqual([(await tasks.get(first))?.state, (await tasks.get(second))?.state], ["completed", "undoing"]);
      assert.equal(await end(first), false, "completed once");
    }),
  );

  test(
    "the outcome is that of the failure or the cancel, whichever came first",
    withStore(open, async ({ tasks }) => {
      const failed = await running(tasks);
      await tasks.startUndo({ id: failed, error: "It failed.", now });
      assert.equal(await tasks.cancel({ id: failed, now }), "past_pivot");
      assert.equal((await tasks.get(failed))?.outcome, "error");
      const cancelled = await running(tasks);
      await tasks.cancel({ id: cancelled, now });
      await tasks.startUndo({ id: cancelled, error: "It failed.", now });
      assert.equal(await tasks.cancel({ id: cancelled, now }), "undoing", "it is being cancelled already");
      const row = await tasks.get(cancelled);
      assert.deepEqual([row?.outcome, row?.error], ["cancelled", null]);
    }),
  );

  test(
    "no verb changes a task that is in a wrong state",
    withStore(open, async ({ tasks }) => {
      const waiting = await accept(tasks);
      assert.equal(await tasks.passPivot(waiting), false);
      assert.equal(await tasks.complete({ id: waiting, result: 0, error: null, now }), false);
      await tasks.startUndo({ id: waiting, error: "no", now });
      await tasks.finish({ id: waiting, error: null, undoFailed: false, now });
      await tasks.saveProgress({ id: waiting, detail: "no", progress: 5 });
      await tasks.clearFailedUndo(waiting);
      const row = await tasks.get(waiting);
      assert.deepEqual([row?.state, row?.detail, row?.end], ["waiting", "", null]);
      const id = await running(tasks);
      await tasks.finish({ id, error: null, undoFailed: false, now });
      assert.equal((await tasks.get(id))?.state, "running");
      assert.equal(await tasks.cancel({ id: 99_999, now }), "unknown");
      assert.equal(await tasks.claim({ id: 99_999, now }), undefined);
    }),
  );
}
