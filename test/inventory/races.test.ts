import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeCall } from "../../src/engines/fake/state.ts";
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

test("a container that was made while a list was on its way is not taken for removed", async (context) => {
  const world = await followFake(context, { resyncInterval: 20 });
  await world.view.firstAttempt;
  const list = holdAnswer(world, "containers.list");
  await list.held;
  await world.make("web");
  await world.sees("web running");
  const before = world.notices.filter((line) => line.startsWith("resynced")).length;
  list.go();
  await soon(() => world.notices.filter((line) => line.startsWith("resynced")).length > before);
  assert.deepEqual(world.seen(), ["web running"]);
  assert.ok(!world.notices.includes("removed web"));
});

test("a container that was removed while a list was on its way does not come back", async (context) => {
  const world = await followFake(context, { resyncInterval: 20 });
  await world.view.firstAttempt;
  const id = await world.make("web");
  await world.sees("web running");
  const list = holdAnswer(world, "containers.list");
  await list.held;
  await world.engine.containers.remove(id);
  await world.sees();
  const before = world.notices.length;
  list.go();
  await soon(() => world.notices.length > before);
  assert.deepEqual(world.seen(), []);
  assert.deepEqual(world.notices.filter((line) => line === "started web").length, 1);
});

test("a container that was removed during its inspection does not stay", async (context) => {
  const world = await followFake(context);
  await world.view.firstAttempt;
  const look = holdAnswer(world, "containers.getById");
  const id = await world.make("web", false);
  await look.held;
  await world.engine.containers.remove(id);
  await new Promise((resolve) => setTimeout(resolve, 30));
  look.go();
  await soon(() => world.calls["containers.getById"] === 2);
  await world.sees();
});

test("of two inspections of one container the result of the later one stays", async (context) => {
  const world = await followFake(context);
  await world.view.firstAttempt;
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

test("an inspection by a connection that has ended changes nothing", async (context) => {
  const world = await followFake(context);
  await world.view.firstAttempt;
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
