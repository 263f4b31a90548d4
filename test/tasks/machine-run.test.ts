import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../../src/errors.ts";
import type { WaitOutsideLane } from "../../src/tasks/handler.ts";
import type { TaskRow } from "../../src/storage/task-store.ts";
import { port } from "../storage/contract-fixture.ts";
import { createWorld, inSteps, loggedError, never, settle, soon, step, type World } from "./world.ts";
import { createTestLog } from "../support/log.ts";

const failed = (words: string) => () => Promise.reject(new AppError("conflict", words));
const summary = (row: TaskRow | "hidden") => (row === "hidden" ? row : [row.state, row.result, row.error]);

test("steps run in order and return their results, and the task completes", async (context) => {
  const world = await createWorld(context, (world, request) => ({
    async run(context) {
      assert.deepEqual(request, { image: "nginx" });
      const id = await step(world, context, "container", () => ({ id: "x" }));
      await step(world, context, "start", () => world.trace.push(JSON.stringify(id)));
      return undefined;
    },
  }));
  await world.machine.start();
  const row = await world.end(await world.add({ params: '{"image":"nginx"}' }));
  assert.deepEqual(summary(row), ["completed", 0, null]);
  assert.deepEqual(world.trace, ["container", "start", '{"id":"x"}']);
});

test("after a failure all steps are undone in reverse order, the failed one too, and then the locks are free", async (context) => {
  const world = await createWorld(context, (world) =>
    inSteps(world, { a: () => 1, b: () => 2, c: failed("The name is taken."), d: never }),
  );
  await world.machine.start();
  const first = world.add({ locks: [["k", "X"]], creates: "k", ports: [port(80)] });
  assert.deepEqual(summary(await world.end(await first)), ["error", 1, "The name is taken."]);
  assert.deepEqual(world.trace, ["a", "b", "c", "undo c", "undo b", "undo a"]);
  await world.end(await world.add({ locks: [["k", "X"]], creates: "k", ports: [port(80)] }));
  assert.equal(world.trace.length, 12);
});

test("an unexpected failure is reported by a general sentence, not by its own text", async (context) => {
  const logged: unknown[] = [];
  const broken = { a: () => Promise.reject(new TypeError("secret 123")) };
  const world = await createWorld(context, (world) => inSteps(world, broken), {
    log: createTestLog((...entry) => logged.push(entry)),
  });
  await world.machine.start();
  const row = await world.end(await world.add());
  assert.ok(row !== "hidden" && row.state === "error" && !row.error?.includes("secret"));
  assert.equal(logged.length, 1);
});

test("a result other than 0 and a failure after the pivot end as error without undoing anything", async (context) => {
  const world = await createWorld(context, (world) => ({
    async run(context) {
      await step(world, context, "a");
      if (context.name === "some") return { result: 2, error: "2 of 3 failed." };
      await context.pivot();
      throw new AppError("conflict", "It is published, but not started.");
    },
  }));
  await world.machine.start();
  assert.deepEqual(summary(await world.end(await world.add({ name: "some" }))), ["error", 2, "2 of 3 failed."]);
  const late = await world.add({ name: "late" });
  assert.deepEqual(summary(await world.end(late)), ["error", 1, "It is published, but not started."]);
  assert.deepEqual([world.trace, await world.tasks.undone([late])], [["a", "a"], []]);
});

test("a task of an unknown kind ends as error", async (context) => {
  const world = await createWorld(context, (world) => inSteps(world, {}));
  await world.machine.start();
  const row = await world.end(await world.add({ kind: "of_tomorrow" }));
  assert.ok(row !== "hidden" && row.state === "error");
  assert.match(row.error ?? "", /cannot carry out of_tomorrow/);
});

async function owing(world: World, name: string): Promise<number> {
  world.stuck.add(name);
  const id = await world.add({ name, locks: [[name, "X"]], creates: name, ports: [port(name.length)] });
  await world.end(id);
  await settle(world);
  return id;
}

/** Fails after one step that bears the task's own name. */
const failing = (world: World) => ({
  run: async (context: Parameters<typeof step>[1]) => {
    await step(world, context, context.name);
    throw new AppError("conflict", "It failed.");
  },
});

test("a task whose undo fails keeps its locks and ports until a repeated attempt succeeds", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const world = await createWorld(context, failing);
  await world.machine.start();
  const id = await owing(world, "one");
  const row = await world.tasks.get(id);
  assert.equal(row?.state, "error");
  assert.match(row.error ?? "", /unexpectedly|Undoing one failed/);
  const next = await world.add({ name: "next", locks: [["one", "X"]] });
  context.mock.timers.tick(30_000);
  await soon(() => world.trace.filter((entry) => entry === "undo one").length === 2);
  await settle(world);
  assert.equal((await world.tasks.get(next))?.state, "waiting");
  assert.equal((await world.tasks.active()).find(({ task }) => task.id === id)?.undoFailed, true);
  world.stuck.clear();
  context.mock.timers.tick(30_000);
  await world.end(next);
  assert.deepEqual(world.trace, ["one", "undo one", "undo one", "undo one", "next", "undo next"]);
  assert.deepEqual([await world.tasks.active(), await world.tasks.undone([id])], [[], [id]]);
  await world.add({ name: "free", creates: "one", ports: [port(3)] });
});

test("a failed undo whose engine is away delays no other, and attempts do not overlap", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const slow = Promise.withResolvers<void>();
  const calls: string[] = [];
  let away = false;
  const kinds = {
    undoers: {
      async note({ name }: Record<string, unknown>) {
        calls.push(String(name));
        if (!away || name === "one") throw new AppError("engine_unavailable", "away");
        await slow.promise;
      },
    },
    // As long as an engine is away.
    recover: async () => (away ? never() : false),
    loggedError,
  };
  const world = await createWorld(context, failing);
  await world.crash({ kinds: { handlers: { create: () => failing(world) }, ...kinds } });
  await owing(world, "one");
  const other = await owing(world, "other");
  away = true;
  calls.length = 0;
  for (let round = 0; round < 3; round++) {
    context.mock.timers.tick(30_000);
    await settle(world);
  }
  assert.deepEqual(calls, ["one", "other"]);
  slow.resolve();
  await soon(async () => !(await world.tasks.active()).some(({ task }) => task.id === other));
});

test("if an engine goes away, the task waits, says so, and tries the same step again", async (context) => {
  const back = Promise.withResolvers<void>();
  let tries = 0;
  const away = () => (++tries === 1 ? Promise.reject(new AppError("engine_unavailable", "away")) : "made");
  const world = await createWorld(context, (world) => inSteps(world, { a: () => 1, b: away, c: () => 3 }));
  const kinds = {
    handlers: { create: () => inSteps(world, { a: () => 1, b: away, c: () => 3 }) },
    undoers: {},
    recover: async (_error: unknown, signal: AbortSignal, waitOutsideLane: WaitOutsideLane) => {
      await waitOutsideLane({ detail: "Waiting for docker to answer", away: true, signal }, () => back.promise);
      return true;
    },
    loggedError,
  };
  await world.crash({ kinds });
  const id = await world.add();
  await soon(() => world.machine.live(id)?.detail === "Waiting for docker to answer");
  back.resolve();
  const row = await world.end(id);
  assert.equal(row !== "hidden" && row.state, "completed");
  assert.deepEqual(world.trace, ["crash", "a", "b", "b again", "c"]);
});
