import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createWorld, inSteps, loggedError, never, settle, soon, step, stoppable } from "./world.ts";

test("a cancelled waiting task never runs, and the task behind it starts", async (context) => {
  const go = Promise.withResolvers<void>();
  const world = await createWorld(context, (world) => ({
    async run(context) {
      await step(world, context, context.name, () => go.promise);
      return undefined;
    },
  }));
  await world.machine.start();
  const first = await world.add({ name: "first", locks: [["k", "X"]] });
  const second = await world.add({ name: "second", locks: [["k", "X"]] });
  const third = await world.add({ name: "third", locks: [["k", "X"]] });
  await world.running(first);
  assert.equal(await world.machine.cancel(second), "withdrawn");
  assert.equal(await world.machine.cancel(second), "final");
  go.resolve();
  await world.end(third);
  assert.deepEqual(world.trace, ["first", "third"]);
  assert.equal(await world.machine.cancel(4711), "unknown");
});

test("when a task is withdrawn behind a shared holder, the shared task behind it starts at once", async (context) => {
  const world = await createWorld(context, (world) =>
    inSteps(world, { act: (context) => (context.name === "first" ? stoppable(context) : null) }),
  );
  await world.machine.start();
  const first = await world.add({ name: "first", locks: [["k", "S"]] });
  await world.running(first);
  const second = await world.add({ name: "second", locks: [["k", "X"]] });
  const third = await world.add({ name: "third", locks: [["k", "S"]] });
  assert.equal(await world.machine.cancel(second), "withdrawn");
  assert.equal(((await world.end(third)) as { state: string }).state, "completed");
});

test("the cancel of a running task resolves after the task has stopped and is undone", async (context) => {
  const world = await createWorld(context, (world) => inSteps(world, { a: () => 1, b: stoppable, c: never }));
  await world.machine.start();
  const id = await world.add({ locks: [["k", "X"]] });
  await world.traced("b");
  assert.equal(world.machine.live(id)?.cancellable, true);
  assert.equal(await world.machine.cancel(id), "cancelled");
  assert.deepEqual(world.trace, ["a", "b", "undo b", "undo a"]);
  assert.deepEqual(
    [await world.end(id), await world.tasks.undone([id]), await world.tasks.active()],
    ["hidden", [id], []],
  );
});

test("a task that is being undone says so whatever its step still reports, and a second cancel waits too", async (context) => {
  const go = Promise.withResolvers<void>();
  const reports: string[] = [];
  const world = await createWorld(context, (world) =>
    inSteps(world, {
      async a(context) {
        await go.promise;
        context.progress(50, "Busy");
        reports.push(world.machine.live(context.id)?.detail ?? "");
      },
    }),
  );
  await world.machine.start();
  const id = await world.add();
  await world.traced("a");
  const cancels = [world.machine.cancel(id), world.machine.cancel(id)];
  await settle(world);
  assert.deepEqual(world.machine.live(id), {
    progress: -1,
    detail: "Cancelling: waiting for the present step to end",
    cancellable: false,
  });
  go.resolve();
  assert.deepEqual(await Promise.all(cancels), ["cancelled", "cancelled"]);
  assert.match(reports[0] ?? "", /^Cancelling/);
  assert.deepEqual(world.trace, ["a", "undo a"]);
});

test("a task past its pivot cannot be cancelled and goes on to its end", async (context) => {
  const go = Promise.withResolvers<void>();
  const world = await createWorld(context, (world) => ({
    async run(context) {
      await step(world, context, "a");
      await context.pivot();
      await step(world, context, "b", () => go.promise);
      assert.equal(context.signal.aborted, false);
      return undefined;
    },
  }));
  await world.machine.start();
  const id = await world.add();
  await world.traced("b");
  assert.equal(world.machine.live(id)?.cancellable, false);
  assert.equal(await world.machine.cancel(id), "past_pivot");
  go.resolve();
  const row = await world.end(id);
  assert.equal(row !== "hidden" && row.state, "completed");
  assert.equal(await world.machine.cancel(id), "final");
});

test("if a cancel comes before the pivot, the pivot throws and all steps are undone", async (context) => {
  const world = await createWorld(context, (world) => ({
    async run(context) {
      await step(world, context, "a");
      const cancel = world.tasks.cancel({ id: context.id, now: 1 });
      await context.pivot();
      world.trace.push(`past ${await cancel}`);
      return undefined;
    },
  }));
  await world.machine.start();
  const id = await world.add();
  assert.equal(await world.end(id), "hidden");
  assert.deepEqual(world.trace, ["a", "undo a"]);
});

test("a failed task that is being undone cannot be cancelled", async (context) => {
  const go = Promise.withResolvers<void>();
  const kinds = { undoers: { note: () => go.promise }, recover: async () => false, loggedError };
  const world = await createWorld(context, () => ({ run: never }));
  const handlers = { create: () => inSteps(world, { a: () => Promise.reject(new Error("no")) }) };
  await world.crash({ kinds: { handlers, ...kinds } });
  const id = await world.add();
  await soon(async () => (await world.tasks.get(id))?.state === "undoing");
  assert.equal(await world.machine.cancel(id), "past_pivot");
  go.resolve();
  const row = await world.end(id);
  assert.equal(row !== "hidden" && row.state, "error");
});

test("when a cancel and the end come together, the task is either completed or undone", async (context) => {
  const world = await createWorld(context, (world) => ({
    async run(context) {
      await step(world, context, "a");
      const turns = Number(context.name);
      void (async () => {
        for (let n = 0; n < turns; n++) await turn();
        answers.set(context.id, await world.machine.cancel(context.id));
      })();
      await turn();
      await turn();
      return undefined;
    },
  }));
  const answers = new Map<number, string>();
  await world.machine.start();
  const seen = new Set<string>();
  for (let round = 0; round < 40; round++) {
    world.trace.length = 0;
    const id = await world.add({ name: String(round % 8), locks: [["k", "X"]] });
    const row = await world.end(id);
    await soon(() => answers.has(id));
    seen.add(answers.get(id) ?? "");
    const undone = row === "hidden";
    assert.equal(answers.get(id), undone ? "cancelled" : "final");
    assert.deepEqual(world.trace, undone ? ["a", "undo a"] : ["a"]);
  }
  assert.deepEqual([...seen].sort(), ["cancelled", "final"], "both were seen");
});

test("a step that is being written when a cancel comes does not act", async (context) => {
  const world = await createWorld(context, (world) => ({
    async run(context) {
      await step(world, context, "a");
      void world.machine.cancel(context.id);
      await step(world, context, "b");
      return undefined;
    },
  }));
  await world.machine.start();
  assert.equal(await world.end(await world.add()), "hidden");
  assert.deepEqual(world.trace, ["a", "undo b", "undo a"]);
});

test("if a step cannot stop, the cancel resolves within 10 s and the undoing follows when the step ends", async (context) => {
  const go = Promise.withResolvers<void>();
  const world = await createWorld(context, (world) => inSteps(world, { a: () => go.promise, b: never }));
  await world.machine.start();
  const id = await world.add();
  await world.traced("a");
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const cancel = world.machine.cancel(id);
  await settle(world);
  context.mock.timers.tick(10_000);
  assert.equal(await cancel, "cancelling");
  context.mock.timers.reset();
  assert.equal((await world.tasks.get(id))?.state, "undoing");
  go.resolve();
  assert.equal(await world.end(id), "hidden");
  assert.deepEqual(world.trace, ["a", "undo a"]);
});
