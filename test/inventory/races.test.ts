import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeCall } from "../../src/engines/fake/fake-state.ts";
import { soon } from "../tasks/world.ts";
import { followFake, type ViewWorld } from "./view-world.ts";

/** Holds the answer of the next such call: the engine has done it, the view has not got it yet. */
function holdAnswer({ hooks }: ViewWorld, method: string) {
  const held = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  hooks.after = (call: FakeCall) => {
    if (call.method !== method) return undefined;
    delete hooks.after;
    held.resolve();
    return go.promise;
  };
  return { held: held.promise, go: () => go.resolve() };
}

test("what was made while a list was on its way is not taken for gone", async (context) => {
  const world = await followFake(context, { resyncEvery: 20 });
  await world.view.tried;
  const list = holdAnswer(world, "containers.list");
  await list.held;
  await world.make("web");
  await world.sees("web running");
  const before = world.told.filter((line) => line.startsWith("resynced")).length;
  list.go();
  await soon(() => world.told.filter((line) => line.startsWith("resynced")).length > before);
  assert.deepEqual(world.seen(), ["web running"]);
  assert.ok(!world.told.includes("gone web"));
});

test("what was removed while a list was on its way does not come back", async (context) => {
  const world = await followFake(context, { resyncEvery: 20 });
  await world.view.tried;
  const id = await world.make("web");
  await world.sees("web running");
  const list = holdAnswer(world, "containers.list");
  await list.held;
  await world.engine.containers.remove(id);
  await world.sees();
  const before = world.told.length;
  list.go();
  await soon(() => world.told.length > before);
  assert.deepEqual(world.seen(), []);
  assert.deepEqual(world.told.filter((line) => line === "started web").length, 1);
});

test("what was removed while a look at it was on its way does not stay", async (context) => {
  const world = await followFake(context);
  await world.view.tried;
  const look = holdAnswer(world, "containers.getById");
  const id = await world.make("web", false);
  await look.held;
  await world.engine.containers.remove(id);
  await new Promise((resolve) => setTimeout(resolve, 30));
  look.go();
  await soon(() => world.calls["containers.getById"] === 2);
  await world.sees();
});

test("of two looks at one container the later one's answer stays", async (context) => {
  const world = await followFake(context);
  await world.view.tried;
  const look = holdAnswer(world, "containers.getById");
  const id = await world.make("web", false);
  await look.held;
  await world.engine.containers.start(id);
  await new Promise((resolve) => setTimeout(resolve, 30));
  look.go();
  await world.sees("web running");
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual(world.seen(), ["web running"]);
});

test("a look of a connection that is over changes nothing any more", async (context) => {
  const world = await followFake(context);
  await world.view.tried;
  const look = holdAnswer(world, "containers.getById");
  const id = await world.make("web");
  await look.held;
  const answers = Promise.withResolvers<void>();
  world.hooks.before = ({ method }) => (method === "info" ? answers.promise : undefined);
  await soon(() => !world.view.available());
  world.engine.state.containers.delete(id);
  delete world.hooks.before;
  answers.resolve();
  await soon(() => world.view.available());
  look.go();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual(world.seen(), []);
});
