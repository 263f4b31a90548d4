import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  createKeyedMutex,
  createMutex,
  createSemaphore,
  createSharedRun,
  mapAtOnce,
} from "../../src/util/concurrency.ts";

/** Work that ends when the test says so, and a record of what has begun. */
function createWork() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => (): Promise<string> => {
    begun.push(name);
    return new Promise((resolve) => ends.set(name, () => resolve(name)));
  };
  async function end(name: string): Promise<void> {
    ends.get(name)?.();
    await nextTurn();
  }
  return { begun, work, end };
}

test("a mutex runs one piece of work after the other, also after a failure", async () => {
  const { begun, work, end } = createWork();
  const runExclusive = createMutex();
  const failing = runExclusive(() => Promise.reject(new Error("broken")));
  const first = runExclusive(work("first"));
  const second = runExclusive(work("second"));
  await assert.rejects(failing, /broken/);
  await nextTurn();
  assert.deepEqual(begun, ["first"]);
  await end("first");
  assert.deepEqual(begun, ["first", "second"]);
  await end("second");
  assert.deepEqual(await Promise.all([first, second]), ["first", "second"]);
});

test("a keyed mutex holds back work for the same key only", async () => {
  const { begun, work, end } = createWork();
  const runExclusive = createKeyedMutex();
  const all = [runExclusive("a", work("a1")), runExclusive("a", work("a2")), runExclusive("b", work("b1"))];
  await nextTurn();
  assert.deepEqual(begun, ["a1", "b1"]);
  await end("a1");
  assert.deepEqual(begun, ["a1", "b1", "a2"]);
  await end("a2");
  await end("b1");
  await Promise.all(all);
});

test("a semaphore runs as many as its width, lets as many as its depth wait, and refuses the next", async () => {
  const { begun, work, end } = createWork();
  const run = createSemaphore({ width: 2, depth: 1, full: () => new Error("full") });
  const all = [run(work("1")), run(work("2")), run(work("3"))];
  await assert.rejects(run(work("4")), /full/);
  assert.deepEqual(begun, ["1", "2"]);
  await end("2");
  assert.deepEqual(begun, ["1", "2", "3"]);
  for (const name of ["1", "3"]) await end(name);
  await Promise.all(all);
});

test("a call that is aborted while it waits throws the signal's reason, never begins, and gives its place back", async () => {
  const { begun, work, end } = createWork();
  const run = createSemaphore({ width: 1, depth: 1, full: () => new Error("full") });
  const first = run(work("first"));
  const controller = new AbortController();
  const aborted = run(work("aborted"), controller.signal);
  controller.abort(new Error("no longer wanted"));
  await assert.rejects(aborted, /no longer wanted/);
  await assert.rejects(run(work("too late"), controller.signal), /no longer wanted/);
  const next = run(work("next"));
  await end("first");
  assert.deepEqual(begun, ["first", "next"]);
  await end("next");
  await Promise.all([first, next]);
});

test("calls during a shared run share the next one, and idle waits for it", async () => {
  const { begun, work, end } = createWork();
  let number = 0;
  const run = createSharedRun(async () => void (await work(String(++number))()));
  const calls = [run()];
  await nextTurn();
  calls.push(run(), run());
  let idle = false;
  const whenIdle = run.idle().then(() => (idle = true));
  await end("1");
  assert.deepEqual(begun, ["1", "2"]);
  assert.equal(idle, false);
  await end("2");
  await Promise.all([...calls, whenIdle]);
  assert.equal(number, 2);
});

test("work for many items begins for so many at a time, and the results are in the order of the items", async () => {
  const { begun, work, end } = createWork();
  const all = mapAtOnce(["first", "second", "third"], 2, (name) => work(name)());
  await nextTurn();
  assert.deepEqual(begun, ["first", "second"]);
  await end("second");
  assert.deepEqual(begun, ["first", "second", "third"]);
  await end("third");
  await end("first");
  assert.deepEqual(await all, ["first", "second", "third"]);
  await assert.rejects(
    mapAtOnce(["one"], 2, () => Promise.reject(new Error("broken"))),
    /broken/,
  );
});
