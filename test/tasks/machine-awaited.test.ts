import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { clearAll } from "../../src/storage/task-pages.ts";
import { AppError, hasCode } from "../../src/errors.ts";
import type { Handler, TaskContext } from "../../src/tasks/handler.ts";
import type { MachineOptions } from "../../src/tasks/machine.ts";
import { newTask } from "../storage/contract-fixture.ts";
import { createWorld, never, settle, step, type World } from "./world.ts";

/** A world whose tasks somebody waits for: `wanted.done` says whether what was wanted is so. */
function awaitedWorld(
  context: TestContext,
  run: (world: World, request: unknown) => Handler["run"],
  options: Partial<MachineOptions> = {},
): Promise<World & { wanted: { done: boolean } }> {
  const state = { done: false };
  const handler = (world: World, request: unknown): Handler => ({
    run: run(world, request),
    async settle({ id }) {
      world.trace.push(`look ${id}`);
      if (!state.done) throw new AppError("engine_failed", "It was not done.");
      return undefined;
    },
  });
  return createWorld(context, handler, options).then((world) => Object.assign(world, { wanted: state }));
}

const key = "docker/c/web";
const awaited = newTask({ lane: "quick", awaited: true, params: "{}", locks: [[key, "X"]] });

async function add(world: World): Promise<number> {
  const accepted = await world.machine.acceptAwaited(awaited);
  assert.ok("id" in accepted, JSON.stringify(accepted));
  return accepted.id;
}

const { signal: patient } = new AbortController();
const ended = (world: World, id: number) => world.machine.waitForEnd(id, patient);

const acting = (world: World) => async (context: Parameters<Handler["run"]>[0]) => {
  await step(world, context, "act");
  return { result: 0, error: null, output: "the output" };
};

/** Its one step never ends, and has nothing to undo. */
const beginning = (world: World) => (task: TaskContext) =>
  task.step("act", null, () => {
    world.trace.push("act");
    return never();
  });

test("those who wait get the handler's output", async (context) => {
  const world = await awaitedWorld(context, acting);
  await world.machine.start();
  assert.deepEqual(await ended(world, await add(world)), { output: "the output" });
});

test("those who wait get the error as it was thrown", async (context) => {
  const error = new AppError("conflict", "Port 80 is taken.", { details: { port: 80 } });
  const world = await awaitedWorld(context, () => () => Promise.reject(error));
  await world.machine.start();
  const id = await add(world);
  assert.deepEqual(await ended(world, id), { error });
  const row = await world.tasks.row(id);
  assert.deepEqual([row?.state, row?.error], ["error", error.message]);
});

test("an awaited task is in no list, and no delete of a list finds it", async (context) => {
  const world = await awaitedWorld(context, acting);
  await world.machine.start();
  const id = await add(world);
  await ended(world, id);
  assert.deepEqual((await world.tasks.list({ kind: null, limit: 9, before: null })).items, []);
  assert.deepEqual(await clearAll(world.tasks, { kind: null }), []);
  assert.equal(await world.tasks.clearOne({ id }), false);
  assert.equal((await world.tasks.row(id))?.state, "completed");
});

test("an awaited task is refused behind a heavy task with the same key, and waits behind quick ones", async (context) => {
  const world = await awaitedWorld(context, () => never, { lanes: { quick: 1, heavy: 1 } });
  await world.machine.start();
  const first = await add(world);
  const second = await add(world);
  const heavy = await world.add({ locks: [[key, "X"]] });
  const other = await world.add({ locks: [["docker/c/other", "X"]] });
  assert.ok(first < second && other > heavy);
  assert.deepEqual(await world.machine.acceptAwaited(awaited), { behind: heavy });
  const elsewhere = { ...awaited, locks: [["docker/c/third", "X"] as const] };
  assert.ok("id" in (await world.machine.acceptAwaited(elsewhere)));
});

test("an awaited task is refused if a heavy task was accepted at the same moment", async (context) => {
  const world = await awaitedWorld(context, () => never);
  await world.machine.start();
  const [heavy, answer] = await Promise.all([world.add({ locks: [[key, "X"]] }), world.machine.acceptAwaited(awaited)]);
  assert.deepEqual(answer, { behind: heavy });
  await settle(world);
  const left = (await world.tasks.active()).map(({ task }) => task.id);
  assert.deepEqual(left, [heavy], "what was refused is not left waiting");
});

test("a task is withdrawn only if it has not begun", async (context) => {
  const world = await awaitedWorld(context, () => never);
  await world.machine.start();
  const first = await add(world);
  const second = await add(world);
  await world.running(first);
  assert.equal(await world.machine.withdraw(first), false);
  const told = ended(world, second);
  assert.equal(await world.machine.withdraw(second), true);
  assert.equal(await told, "withdrawn");
  assert.equal((await world.tasks.row(first))?.state, "running");
});

for (const done of [true, false]) {
  test(`after a restart a running awaited task is settled without running again: ${done ? "done" : "not done"}`, async (context) => {
    const world = await awaitedWorld(context, beginning);
    await world.machine.start();
    const id = await add(world);
    await world.traced("act");
    world.wanted.done = done;
    await world.crash();
    await world.end(id);
    assert.deepEqual(world.trace, ["act", "crash", `look ${id}`]);
    assert.equal((await world.tasks.row(id))?.state, done ? "completed" : "error");
  });

  test(`after a restart a waiting awaited task is settled without running: ${done ? "done" : "not done"}`, async (context) => {
    const world = await awaitedWorld(context, () => never, { lanes: { quick: 0, heavy: 0 } });
    await world.machine.start();
    const id = await add(world);
    world.wanted.done = done;
    await world.crash({ lanes: { quick: 2, heavy: 2 } });
    await world.end(id);
    assert.deepEqual(world.trace, ["crash", `look ${id}`]);
    assert.equal((await world.tasks.row(id))?.state, done ? "completed" : "error");
  });
}

test("an awaited task is not tried again when its engine comes back", async (context) => {
  let tries = 0;
  const gone = new AppError("engine_unavailable", "Docker does not answer.");
  const world = await awaitedWorld(context, () => () => {
    tries++;
    return Promise.reject(gone);
  });
  await world.machine.start();
  const end = await ended(world, await add(world));
  assert.ok(typeof end === "object" && "error" in end && hasCode(end.error, "engine_unavailable"));
  assert.equal(tries, 1);
});

test("those who wait get an error when the station ends", async (context) => {
  const world = await awaitedWorld(context, () => never);
  await world.machine.start();
  const told = ended(world, await add(world));
  await world.machine.stop(0);
  const end = await told;
  assert.ok(typeof end === "object" && "error" in end && hasCode(end.error, "engine_unavailable"));
});

test("an engine that hangs gets half of the quick lane, and tasks of others go on", async (context) => {
  const world = await awaitedWorld(
    context,
    (_world, request) => () => (request === "hang" ? never() : Promise.resolve(undefined)),
    {
      lanes: { quick: 4, heavy: 1 },
    },
  );
  await world.machine.start();
  const send = async (name: string, params: string) => {
    const accepted = await world.machine.acceptAwaited({ ...awaited, params, locks: [[name, "X"]] });
    assert.ok("id" in accepted);
    return accepted.id;
  };
  const stuck: number[] = [];
  for (let n = 0; n < 6; n++) stuck.push(await send(`docker/c/${n}`, '"hang"'));
  await world.running(stuck[1] as number);
  for (let n = 0; n < 6; n++) {
    assert.deepEqual(await ended(world, await send(`lxc/c/${n}`, '"go"')), { output: undefined });
  }
  const states = await Promise.all(stuck.map(async (id) => (await world.tasks.row(id))?.state));
  assert.deepEqual(states, ["running", "running", "waiting", "waiting", "waiting", "waiting"]);
});
