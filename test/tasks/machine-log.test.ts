import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../../src/errors.ts";
import { createWorld, inSteps, loggedError, never, soon, step, stoppable } from "./world.ts";

const begun = "Start to do background task (create, web)";
const finished = "Finished background task (create, web)";
const failed = "Failed to do background task (create, web)";
const reason = (error: string) => `Background task error for create web: logged: ${error}`;
const refused = () => Promise.reject(new AppError("conflict", "The name is taken."));

test("what a task has made is in the log once, with its end", async (context) => {
  const world = await createWorld(context, () => ({
    run: async () => ({ result: 0, error: null, made: "Create container (lxc, web)" }),
  }));
  await world.machine.start();
  await world.end(await world.add());
  assert.deepEqual(await world.logged(), [begun, "Create container (lxc, web)", finished]);
});

test("why a task failed is in the log once, before its end, as the log may have it", async (context) => {
  const world = await createWorld(context, (world) => ({
    async run(context) {
      if (context.name === "some") return { result: 2, error: "2 of 3 failed." };
      if (context.name === "late") await context.pivot();
      await step(world, context, "a", refused);
      return undefined;
    },
  }));
  await world.machine.start();
  await world.end(await world.add());
  assert.deepEqual(await world.logged(), [begun, reason("The name is taken."), failed]);
  for (const [name, error] of [
    ["some", "2 of 3 failed."],
    ["late", "The name is taken."],
  ] as const) {
    await world.end(await world.add({ name }));
    const message = `Background task error for create ${name}: logged: ${error}`;
    assert.deepEqual((await world.logged()).slice(-2), [message, `Failed to do background task (create, ${name})`]);
  }
});

test("the reason is in the log once also if the station is killed while the task is undone", async (context) => {
  const handler = (world: Parameters<typeof inSteps>[0]) => inSteps(world, { a: refused });
  const world = await createWorld(context, handler);
  const undoers = { note: never };
  await world.crash({
    kinds: { handlers: { create: () => handler(world) }, undoers, recover: async () => false, loggedError },
  });
  const id = await world.add();
  await soon(async () => (await world.tasks.get(id))?.state === "undoing");
  assert.deepEqual(await world.logged(), [begun]);
  await world.crash();
  await world.end(id);
  assert.deepEqual(await world.logged(), [begun, reason("The name is taken."), failed]);
});

test("a cancelled task has no error in the log, unless its undo failed", async (context) => {
  const world = await createWorld(context, (world) => inSteps(world, { a: stoppable }));
  await world.machine.start();
  for (const stuck of [false, true]) {
    const id = await world.add();
    await world.running(id);
    await soon(
      () =>
        world.machine.live(id) !== undefined && world.trace.filter((entry) => entry === "a").length === (stuck ? 2 : 1),
    );
    if (stuck) world.stuck.add("a");
    await world.machine.cancel(id);
    const ends = (await world.logged()).slice(-3);
    if (!stuck)
      assert.deepEqual(ends.slice(1), [
        "Cancel background task (create, web)",
        "Cancelled background task (create, web)",
      ]);
    else assert.match(ends.join("\n"), /^Cancel .*\nBackground task error for create web: logged: .*\nFailed to do /);
  }
});
