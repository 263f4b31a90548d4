import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { hasCode } from "../../src/errors.ts";
import { smallDisk } from "../support/small-disk.ts";
import { accept, newTask, noon, running } from "./contract-fixture.ts";
import { openAt } from "./temporary.ts";

const full = (error: unknown) => hasCode(error, "disk_full");

/** Half of it is the ballast's. */
function halfBallast() {
  const disk = smallDisk(16);
  return { ...disk, path: join(disk.folder, "gantry.db") };
}

const big = newTask({ params: JSON.stringify("x".repeat(100_000)) });

describe("a full disk", { concurrency: true }, () => {
  test("on a full disk new tasks and steps are refused, ends are written, and free space ends that state", async (context) => {
    const disk = halfBallast();
    context.after(disk.close);
    const { database, fatal } = await openAt(disk.path, { context });
    const { tasks } = database;
    const ids = [];
    for (let n = 0; n < 20; n++) ids.push(await running(tasks, { name: `run-${n}` }));
    disk.fill();
    await assert.rejects(tasks.accept(big), full);
    assert.equal(existsSync(`${disk.path}.ballast`), false, "the ballast is given up");
    await assert.rejects(tasks.accept(newTask({ name: "small" })), full);
    const steps = ids.map((task) =>
      tasks.planStep({ task, seq: 0, name: "s", undo: { op: "u", args: {} }, previous: null }),
    );
    const batch = await Promise.allSettled([...steps, tasks.accept(newTask({ name: "between" }))]);
    assert.deepEqual(
      batch.map(({ status }) => status === "fulfilled"),
      [...ids.map(() => false), false],
      "no running task goes on to its next step",
    );
    for (const id of ids.slice(0, 10))
      assert.equal(await tasks.complete({ id, result: 0, error: null, now: noon }), true);
    for (const id of ids.slice(10)) {
      assert.equal(await tasks.cancel({ id, now: noon }), "undoing");
      await tasks.finish({ id, error: null, undoFailed: false, now: noon });
    }
    assert.deepEqual(await tasks.active(), []);
    disk.free();
    await sleep(5_100);
    await accept(tasks, { name: "healed" });
    assert.equal(statSync(`${disk.path}.ballast`).size, 8 << 20, "the ballast is back");
    assert.deepEqual(fatal, []);
    await database.close();
  });

  test("a call that finds the disk full in the middle of a batch makes no end of a task fail", async (context) => {
    const disk = halfBallast();
    context.after(disk.close);
    const { database, fatal } = await openAt(disk.path, { context });
    const { tasks } = database;
    const id = await running(tasks);
    disk.fill();
    const accepts = Array.from({ length: 5 }, () => tasks.accept(big));
    const batch = await Promise.allSettled([...accepts, tasks.complete({ id, result: 0, error: null, now: noon })]);
    assert.ok(batch.slice(0, 5).every((answer) => answer.status === "rejected" && full(answer.reason)));
    assert.equal((await tasks.get(id))?.state, "completed");
    assert.equal((await tasks.list({ kind: null, limit: 10, before: null })).items.length, 1);
    assert.deepEqual(fatal, []);
    await database.close();
  });

  test("a station starts on a full disk, ends its running tasks, and accepts none", async (context) => {
    const disk = halfBallast();
    context.after(disk.close);
    const before = await openAt(disk.path, { context });
    const id = await running(before.database.tasks);
    await before.database.close();
    disk.fill();
    const { database, fatal } = await openAt(disk.path, { context });
    assert.equal(database.identity.epoch, 2);
    await assert.rejects(database.tasks.accept(newTask()), full);
    assert.equal(await database.tasks.complete({ id, result: 0, error: null, now: noon }), true);
    assert.deepEqual(fatal, []);
    await database.close();
  });
});
