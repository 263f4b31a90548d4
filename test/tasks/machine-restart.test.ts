import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskRow } from "../../src/storage/task-store.ts";
import { createWorld, inSteps, loggedError, never, settle, soon, step, stoppable } from "./world.ts";

/** Hangs in this step of this life of the station, and then no more. */
function hangsAt(name: string) {
  let hung = false;
  return (step: string) => {
    if (hung || step !== name) return step;
    hung = true;
    return never();
  };
}

test("after a crash done steps return from the journal, and the planned step acts again with repeated = true", async (context) => {
  const act = hangsAt("b");
  const world = await createWorld(context, (world) => ({
    async run(context) {
      assert.equal(await step(world, context, "a", () => act("a")), "a");
      assert.equal(await step(world, context, "b", () => act("b")), "b");
      await step(world, context, "c");
      return undefined;
    },
  }));
  await world.machine.start();
  const id = await world.add({ locks: [["k", "X"]] });
  await world.traced("b");
  await world.crash();
  const row = await world.end(id);
  assert.deepEqual(row !== "hidden" && [row.state, row.attempts], ["completed", 0]);
  assert.deepEqual(world.trace, ["a", "b", "crash", "b again", "c"]);
});

test("a step that acted but was not written as done acts again", async (context) => {
  let life = 0;
  const world = await createWorld(context, (world) => ({
    async run(context) {
      await step(world, context, "a");
      return ++life === 1 ? never() : undefined;
    },
  }));
  await world.machine.start();
  const id = await world.add();
  await soon(() => life === 1);
  await world.crash();
  await world.end(id);
  assert.deepEqual(world.trace, ["a", "crash", "a again"]);
});

test("the former process can no longer write after a restart", async (context) => {
  const go = Promise.withResolvers<void>();
  let life = 0;
  const world = await createWorld(context, (world) =>
    inSteps(world, { a: () => (++life === 1 ? go.promise : never()) }),
  );
  await world.machine.start();
  const id = await world.add();
  await world.traced("a");
  await world.crash();
  await world.traced("a again");
  go.resolve();
  await settle(world);
  assert.equal((await world.tasks.get(id))?.state, "running");
});

test("a task that takes the station down more than 3 times is undone", async (context) => {
  const world = await createWorld(context, (world) => inSteps(world, { a: () => 1, b: never }));
  await world.machine.start();
  const id = await world.add();
  await world.traced("b");
  for (let life = 1; life <= 3; life++) {
    await world.crash();
    await soon(() => world.trace.filter((entry) => entry === "b again").length === life);
  }
  await world.crash();
  const row = await world.end(id);
  assert.ok(row !== "hidden" && row.state === "error");
  assert.match(row.error ?? "", /went down 4 times/);
  assert.deepEqual(world.trace.slice(-3), ["crash", "undo b", "undo a"]);
});

for (const why of ["failed", "was cancelled"] as const) {
  test(`after a restart the undoing of a task that ${why} is taken up again`, async (context) => {
    const fail = why === "failed" ? () => Promise.reject(new Error("no")) : stoppable;
    const world = await createWorld(context, (world) => inSteps(world, { a: () => 1, b: fail }));
    const kinds = {
      handlers: { create: () => inSteps(world, { a: () => 1, b: fail }) },
      undoers: { note: never },
      recover: async () => false,
      loggedError,
    };
    await world.crash({ kinds });
    const id = await world.add({ locks: [["k", "X"]] });
    await world.traced("b");
    if (why === "was cancelled") void world.machine.cancel(id);
    await soon(async () => (await world.tasks.get(id))?.state === "undoing");
    await world.crash();
    const row = await world.end(id);
    assert.deepEqual(world.trace, ["crash", "a", "b", "crash", "undo b", "undo a"]);
    assert.equal(row === "hidden" ? row : row.state, why === "failed" ? "error" : "hidden");
  });
}

test("after a restart locks are held as before, and waiting tasks run in their old order", async (context) => {
  const go = Promise.withResolvers<void>();
  const world = await createWorld(context, (world) => ({
    async run(context) {
      await step(world, context, context.name, () => go.promise);
      return undefined;
    },
  }));
  await world.machine.start();
  const first = await world.add({ name: "first", locks: [["k", "X"]] });
  await world.traced("first");
  await world.add({ name: "second", locks: [["k", "X"]] });
  const third = await world.add({ name: "third", locks: [["k", "X"]] });
  await world.crash();
  await world.traced("first again");
  await settle(world);
  assert.equal((await world.tasks.get(third))?.state, "waiting");
  go.resolve();
  await world.end(first);
  await world.end(third);
  assert.deepEqual(world.trace, ["first", "crash", "first again", "second", "third"]);
});

test("a failed undo is still repeated after a restart", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const world = await createWorld(context, (world) =>
    inSteps(world, { a: () => (world.trace.includes("crash") ? 1 : Promise.reject(new Error("no"))) }),
  );
  await world.machine.start();
  world.stuck.add("a");
  await world.end(await world.add({ locks: [["k", "X"]] }));
  await world.crash();
  const next = await world.add({ locks: [["k", "X"]] });
  await settle(world);
  assert.equal((await world.tasks.get(next))?.state, "waiting");
  world.stuck.clear();
  context.mock.timers.tick(30_000);
  await world.end(next);
  assert.deepEqual(world.trace, ["a", "undo a", "crash", "undo a", "a"]);
});

test("a task that is accepted before the start runs once, behind older tasks, and releases its locks", async (context) => {
  const go = Promise.withResolvers<void>();
  const world = await createWorld(context, (world) => ({
    async run(context) {
      await step(world, context, context.name, () => (context.name === "old" ? go.promise : null));
      return undefined;
    },
  }));
  await world.machine.start();
  await world.add({ name: "old", locks: [["k", "X"]] });
  await world.traced("old");
  await world.crash({ start: false });
  const early = await world.add({ name: "early", locks: [["k", "X"]] });
  await world.machine.start();
  const late = await world.add({ name: "late", locks: [["k", "X"]] });
  await world.traced("old again");
  await settle(world);
  assert.equal((await world.tasks.get(early))?.state, "waiting", "the old one has the key");
  go.resolve();
  await world.end(late);
  assert.deepEqual(world.trace, ["old", "crash", "old again", "early", "late"]);
});

test("stop ends within its grace, undoes nothing, and leaves running tasks to the next start", async (context) => {
  let life = 0;
  const world = await createWorld(context, (world) => ({
    async run(context) {
      await step(world, context, context.name, (context) =>
        life > 0 ? null : context.name === "deaf" ? never() : stoppable(context),
      );
      return undefined;
    },
  }));
  await world.machine.start();
  const [stops, deaf] = [await world.add({ name: "stops" }), await world.add({ name: "deaf" })];
  const waiting = await world.add({ name: "waiting" });
  await world.traced("stops");
  await world.traced("deaf");
  await world.machine.stop(20);
  assert.deepEqual(
    (await world.tasks.active()).map(({ task }) => task.state),
    ["running", "running", "waiting"],
  );
  await assert.rejects(world.add(), { code: "engine_unavailable" });
  life++;
  await world.crash();
  for (const id of [stops, deaf, waiting]) {
    const row = await world.end(id);
    assert.equal(row !== "hidden" && row.state, "completed");
  }
  assert.deepEqual(world.trace.slice(0, 3), ["stops", "deaf", "crash"]);
  assert.deepEqual(world.trace.slice(3).sort(), ["deaf again", "stops again", "waiting"]);
});

test("orderly stops do not count as crashes, however many there are", async (context) => {
  let runs = 0;
  const world = await createWorld(context, (world) =>
    inSteps(world, { one: (context) => (++runs > 5 ? null : stoppable(context)) }),
  );
  await world.machine.start();
  const id = await world.add();
  for (let n = 1; n <= 5; n++) {
    await soon(() => runs === n);
    await world.machine.stop(1_000);
    await world.crash();
  }
  assert.equal(((await world.end(id)) as TaskRow).state, "completed");
});
