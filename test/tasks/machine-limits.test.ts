import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { NewTask, TaskRow, TaskStore } from "../../src/storage/task-store.ts";
import { createTaskMachine } from "../../src/tasks/machine.ts";
import { createProgressReporter } from "../../src/tasks/progress.ts";
import { createWorld, inSteps, loggedError, settle, soon, step } from "./world.ts";
import { silentLog } from "../../src/util/log.ts";

test("a lane runs as many tasks as its width, oldest first, and none with width 0", async (context) => {
  const gates = new Map<string, () => void>();
  const world = await createWorld(
    context,
    (world) => ({
      async run(context) {
        await step(
          world,
          context,
          context.name,
          () => new Promise<void>((resolve) => gates.set(context.name, resolve)),
        );
        return undefined;
      },
    }),
    { lanes: { quick: 3, heavy: 0 } },
  );
  await world.machine.start();
  const held = await world.add({ lane: "heavy", name: "heavy" });
  for (let n = 1; n <= 6; n++) await world.add({ lane: "quick", name: `q${n}` });
  await world.traced("q3");
  await settle(world);
  assert.deepEqual(world.trace, ["q1", "q2", "q3"]);
  gates.get("q2")?.();
  await world.traced("q4");
  for (const name of ["q1", "q3", "q4"]) gates.get(name)?.();
  await world.traced("q6");
  assert.deepEqual(world.trace, ["q1", "q2", "q3", "q4", "q5", "q6"]);
  assert.equal((await world.tasks.get(held))?.state, "waiting");
  assert.equal(await world.machine.cancel(held), "withdrawn");
});

test("new tasks over the maximum are refused, even if they come at once, until a task ends", async (context) => {
  const world = await createWorld(context, () => ({ run: async () => undefined }), {
    maxTasks: 5,
    lanes: { quick: 1, heavy: 0 },
  });
  await world.machine.start();
  const adds = await Promise.allSettled(Array.from({ length: 9 }, () => world.add()));
  assert.equal(adds.filter(({ status }) => status === "fulfilled").length, 5);
  await assert.rejects(world.add(), { code: "too_many" });
  assert.equal((await world.tasks.active()).length, 5, "refused = nothing changed");
  const [first] = await world.tasks.active();
  await world.machine.cancel(first?.task.id ?? 0);
  await world.add();
  await assert.rejects(world.add(), { code: "too_many" });
});

test("progress is emitted at most ten times a second and stored at most once, and the latest is always readable", (context) => {
  let time = 1_000;
  context.mock.method(performance, "now", () => time);
  const out: number[] = [];
  const saved: number[] = [];
  const store = { saveProgress: async ({ progress }: { progress: number }) => void saved.push(progress) };
  const { now, report } = createProgressReporter(
    store as unknown as TaskStore,
    (_task, { progress }) => void out.push(progress),
  )(7);
  for (let tick = 0; tick <= 3_000; tick++, time++) report(tick, "x");
  assert.equal(now.progress, 3_000);
  assert.ok(out.length >= 30 && out.length <= 31, String(out.length));
  assert.deepEqual(saved, [1_000, 2_000, 3_000]);
});

test("progress of a running task is visible at once and stored within about a second", async (context) => {
  const world = await createWorld(context, () => ({
    async run(context) {
      let percent = 0;
      while (!context.signal.aborted) {
        context.progress(++percent % 100, `Download image:${percent}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw context.signal.reason;
    },
  }));
  await world.machine.start();
  const id = await world.add();
  await soon(() => world.machine.live(id)?.detail === "Download image:3");
  await soon(async () => (await world.tasks.get(id))?.detail.startsWith("Download image:") === true);
  assert.equal(await world.machine.cancel(id), "cancelled");
});

test("a task whose end the store cannot write is taken up again later and then releases its locks", async (context) => {
  const world = await createWorld(context, (world) => inSteps(world, { one: () => null }));
  const { tasks } = world;
  let failures = 2;
  const fail = () => Promise.reject(new Error("the disk is full to its last block"));
  // What ends a task fails, once each.
  const failing = new Proxy(tasks, {
    get: (_store, name: "complete" | "startUndo") =>
      (name === "complete" || name === "startUndo") && failures-- > 0 ? fail : tasks[name],
  });
  const kinds = {
    handlers: { create: () => inSteps(world, { one: () => null }) },
    undoers: {},
    recover: async () => false,
    loggedError,
  };
  const lanes = { quick: 2, heavy: 2 };
  world.machine = createTaskMachine({
    tasks: failing,
    kinds,
    lanes,
    maxTasks: 10,
    onProgress: () => undefined,
    log: silentLog,
  });
  await world.machine.start();
  const locks: NewTask["locks"] = [["key", "X"]];
  const first = await world.add({ locks });
  const second = await world.add({ locks });
  await sleep(5_500);
  for (const id of [first, second]) assert.equal(((await world.end(id)) as TaskRow).state, "completed");
  assert.deepEqual(world.trace, ["one", "one again", "one"]);
  await world.machine.stop(0);
});
