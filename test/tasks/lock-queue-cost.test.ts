import assert from "node:assert/strict";
import { Session } from "node:inspector/promises";
import { test } from "node:test";
import { createLockQueue } from "../../src/tasks/lock-queue.ts";

/** Returns how many blocks of code of the lock queue's own files V8 runs during `work`. */
async function blocksRun(work: () => void): Promise<number> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  work();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  await session.post("Profiler.stopPreciseCoverage");
  session.disconnect();
  const own = result.filter(({ url }) => /src\/(tasks\/lock-(?:queue|key)|util\/fifo-queue)\.ts$/.test(url));
  assert.ok(own.length >= 1);
  const counts = own.flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)));
  return counts.reduce((sum, count) => sum + count, 0);
}

const shapes = {
  "all behind one exclusive key": () => "one",
  "each behind a key of its own": (id: number) => `key-${id}`,
  "a thousand keys": (id: number) => `key-${id % 1000}`,
};

for (const [shape, keyOf] of Object.entries(shapes)) {
  test(`with 100,000 waiting tasks an operation costs no more than with 300 (${shape})`, async () => {
    const cost = async (waiting: number): Promise<number> => {
      const queue = createLockQueue();
      const add = (id: number) =>
        queue.add({
          id,
          lane: "heavy",
          locks: [
            [keyOf(id), "X"],
            ["image", "S"],
          ],
        });
      for (let id = 1; id <= waiting; id++) add(id);
      return blocksRun(() => {
        for (let n = 1; n <= 100; n++) {
          const id = queue.next("heavy");
          if (id !== undefined) queue.release(id);
          add(waiting + n);
          // From the middle.
          queue.release(Math.floor(waiting / 2) + n);
        }
      });
    };
    const [few, many] = [await cost(300), await cost(100_000)];
    assert.ok(few > 100, "counted");
    assert.ok(many < 3 * few, `${few} blocks among 300, ${many} among 100,000`);
  });
}

test("the cost of each task does not grow when 100,000 tasks are worked off", async () => {
  const work = (tasks: number) => () => {
    const queue = createLockQueue();
    for (let id = 1; id <= tasks; id++)
      queue.add({ id, lane: "heavy", locks: [[`key-${id % 10}`, id % 3 ? "X" : "S"]] });
    let done = 0;
    for (let id = queue.next("heavy"); id !== undefined; id = queue.next("heavy"), done++) queue.release(id);
    assert.equal(done, tasks);
  };
  const few = (await blocksRun(work(1000))) / 1000;
  const many = (await blocksRun(work(100_000))) / 100_000;
  assert.ok(many < 1.5 * few, `${few} each of 1,000, ${many} each of 100,000`);
});
