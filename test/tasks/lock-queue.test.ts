import assert from "node:assert/strict";
import { test } from "node:test";
import type { Lock } from "../../src/storage/task-store.ts";
import { createLockQueue, type QueuedTask } from "../../src/tasks/lock-queue.ts";
import { createRandom } from "../support/proof.ts";
import { createPair } from "./lock-model.ts";

const task = (id: number, ...locks: Lock[]): QueuedTask => ({ id, lane: "quick", locks });

test("shared holders run together, an exclusive one alone, and no task overtakes another", () => {
  const queue = createLockQueue();
  queue.add(task(1, ["k", "S"]));
  queue.add(task(2, ["k", "S"]));
  queue.add(task(3, ["k", "X"]));
  queue.add(task(4, ["k", "S"]));
  assert.deepEqual([queue.next("quick"), queue.next("quick"), queue.next("quick")], [1, 2, undefined]);
  queue.release(1);
  assert.equal(queue.next("quick"), undefined, "4 does not overtake 3");
  queue.release(2);
  assert.deepEqual([queue.next("quick"), queue.next("quick")], [3, undefined]);
  queue.release(3);
  assert.equal(queue.next("quick"), 4);
});

test("a task waits for all its keys and meanwhile keeps its place in the queue of each", () => {
  const queue = createLockQueue();
  queue.add(task(1, ["a", "X"]));
  queue.add(task(2, ["a", "X"], ["b", "X"]));
  queue.add(task(3, ["b", "X"]));
  queue.add(task(4, ["c", "X"]));
  assert.deepEqual([queue.next("quick"), queue.next("quick"), queue.next("quick")], [1, 4, undefined]);
  queue.release(1);
  assert.deepEqual([queue.next("quick"), queue.next("quick")], [2, undefined]);
});

test("a withdrawn task gives up its places, before and after it is ready", () => {
  const queue = createLockQueue();
  queue.add(task(1, ["k", "X"]));
  queue.add(task(2, ["k", "X"]));
  queue.add(task(3, ["k", "X"]));
  queue.release(2);
  queue.release(1);
  assert.deepEqual([queue.next("quick"), queue.next("quick"), queue.size()], [3, undefined, 1]);
  queue.release(3);
  queue.release(3);
  queue.release(99);
  assert.equal(queue.size(), 0);
});

test("a task that held its keys before a restart keeps them and is not handed out", () => {
  const queue = createLockQueue();
  queue.hold(task(1, ["k", "X"], ["s", "S"]));
  queue.hold(task(2, ["s", "S"]));
  queue.add(task(3, ["s", "S"]));
  queue.add(task(4, ["k", "S"]));
  queue.add(task(5, ["s", "X"]));
  assert.deepEqual([queue.next("quick"), queue.next("quick")], [3, undefined]);
  queue.release(1);
  assert.equal(queue.next("quick"), 4);
});

test("a task that is added twice keeps its place and needs only one release", () => {
  const queue = createLockQueue();
  queue.add(task(1, ["k", "X"]));
  queue.add(task(1, ["k", "X"]));
  queue.add(task(2, ["k", "X"]));
  assert.deepEqual([queue.next("quick"), queue.next("quick")], [1, undefined]);
  queue.release(1);
  assert.deepEqual([queue.next("quick"), queue.next("quick")], [2, undefined]);
});

test("40 random histories agree with the model and come to an end", () => {
  for (let seed = 1; seed <= 40; seed++) runHistory(createRandom(seed));
});

function runHistory(random: (below: number) => number): void {
  const pair = createPair();
  const keys = ["a", "b", "c", "d", "e"].slice(0, 1 + random(5));
  const running = new Set<number>();
  let id = 0;
  const anyTask = (): QueuedTask => {
    const own = keys.filter(() => random(3) === 0);
    return {
      id: ++id,
      lane: random(2) ? "quick" : "heavy",
      locks: own.map((key): Lock => [key, random(2) ? "X" : "S"]),
    };
  };
  const any = (ids: readonly number[]) => ids[random(ids.length)] as number;

  // What an earlier process was running: it had its keys, so these get along with each other.
  for (let held = random(4); held > 0; held--) {
    const left = { ...anyTask(), locks: random(2) ? ([[`held-${id}`, "X"]] as const) : ([["a", "S"]] as const) };
    pair.hold(left);
    running.add(left.id);
  }
  const take = (lane: "quick" | "heavy") => {
    const next = pair.next(lane);
    if (next !== undefined) running.add(next);
  };
  const release = (which: number) => {
    running.delete(which);
    pair.release(which);
  };
  for (let step = 0; step < 120; step++) {
    const what = random(10);
    if (what < 4) pair.add(anyTask());
    else if (what < 7) take(random(2) ? "quick" : "heavy");
    else if (what < 9 && running.size > 0) release(any([...running]));
    else if (pair.model.tasks.size > 0) release(any([...pair.model.tasks.keys()]));
  }
  while (pair.model.tasks.size > 0) {
    take("quick");
    take("heavy");
    assert.ok(running.size > 0, "nothing runs, and nothing is ready");
    release(any([...running]));
  }
}

test("tasks of a full engine are passed over and keep their places", () => {
  const queue = createLockQueue();
  for (const [id, key] of [
    [1, "docker/c/a"],
    [2, "docker/c/b"],
    [3, "lxc/c/a"],
    [4, "docker/c/c"],
  ] as const) {
    queue.add({ id, lane: "quick", locks: [[key, "X"]] });
  }
  assert.deepEqual([1, 2, 3, 4].map(queue.engineOf), ["docker", "docker", "lxc", "docker"]);
  const full = (group: string) => group === "docker";
  assert.deepEqual([queue.next("quick", full), queue.next("quick", full)], [3, undefined]);
  queue.release(2);
  assert.deepEqual([queue.next("quick"), queue.next("quick"), queue.next("quick")], [1, 4, undefined]);
});
