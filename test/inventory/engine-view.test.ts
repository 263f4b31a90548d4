import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../src/errors.ts";
import { soon } from "../tasks/world.ts";
import { followFake } from "./view-world.ts";

test("what is there is listed, what comes and goes is seen by events, and told once", async (context) => {
  const { view, make, sees, told, engine } = await followFake(context);
  await view.tried;
  assert.equal(view.available(), true);
  const id = await make("web");
  await sees("web running");
  await make("idle", false);
  await sees("idle stopped", "web running");
  assert.equal(view.byName("web")?.id, id);
  await engine.containers.remove(id);
  await sees("idle stopped");
  assert.equal(view.byName("web"), undefined);
  assert.deepEqual(told, ["resynced 0", "started web", "gone web"]);
});

test("a name that is used again belongs to the new one, whatever becomes known of the old one", async (context) => {
  const { view, make, sees, engine } = await followFake(context);
  await view.tried;
  const old = await make("web", false);
  await sees("web stopped");
  const container = engine.state.containers.get(old);
  assert.ok(container);
  // Renamed, and no event told of it.
  engine.state.containers.set(old, { ...container, name: "web-old" });
  const id = await make("web");
  await sees("web running", "web stopped");
  await engine.containers.remove(old);
  await sees("web running");
  assert.equal(view.byName("web")?.id, id);
});

test("a start again is told again: another first process", async (context) => {
  const { view, make, told, engine } = await followFake(context);
  await view.tried;
  const id = await make("web");
  await soon(() => told.length === 2);
  const found = engine.state.containers.get(id);
  assert.ok(found);
  engine.state.containers.set(id, { ...found, state: "stopped", pid: 0 });
  await engine.containers.start(id);
  await soon(() => told.length === 3);
  assert.deepEqual(told, ["resynced 0", "started web", "started web"]);
});

test("an engine that is away: what was known stays, who waits is woken when it is back, and what was missed is found", async (context) => {
  const { view, make, sees, seen, told, engine } = await followFake(context);
  await view.tried;
  const lost = await make("lost");
  await make("kept");
  await sees("kept running", "lost running");
  engine.crash();
  await soon(() => !view.available());
  assert.deepEqual(seen(), ["kept running", "lost running"]);
  let woken = false;
  const waiting = view.whenAvailable(new AbortController().signal).then(() => (woken = true));
  await view.whenAvailable(AbortSignal.timeout(10));
  assert.equal(woken, false);
  engine.state.containers.delete(lost);
  told.length = 0;
  engine.restart();
  await waiting;
  assert.deepEqual([view.available(), seen()], [true, ["kept running"]]);
  assert.deepEqual(told, ["gone lost", "resynced 1"]);
  await make("new");
  await sees("kept running", "new running");
});

test("500 events in a burst are few looks, and all containers are seen", async (context) => {
  const { view, make, seen, calls } = await followFake(context);
  await view.tried;
  const first = await make("c0");
  await soon(() => seen().length === 1);
  const before = calls["containers.getById"] ?? 0;
  for (let n = 0; n < 400; n++) await make("c0").catch(() => undefined);
  for (let n = 1; n <= 250; n++) await make(`c${n}`);
  await soon(() => seen().length === 251 && seen().every((name) => name.endsWith("running")));
  const looks = (calls["containers.getById"] ?? 0) - before;
  assert.ok(looks <= 500, `${looks} looks at 250 containers of 500 events`);
  assert.equal(view.byName("c0")?.id, first);
});

test("many events of one container in a moment are few looks", async (context) => {
  const { view, make, engine, calls, sees } = await followFake(context, { coalesce: 200 });
  await view.tried;
  const id = await make("web");
  await sees("web running");
  const before = calls["containers.getById"] ?? 0;
  const container = engine.state.containers.get(id);
  assert.ok(container);
  for (let n = 0; n < 30; n++) {
    engine.state.containers.set(id, { ...container, state: "stopped", pid: 0 });
    await engine.containers.start(id);
    await sleep(1);
  }
  const last = engine.state.containers.get(id)?.pid;
  await soon(() => view.byName("web")?.pid === last);
  assert.ok((calls["containers.getById"] ?? 0) - before <= 15);
});

test("an engine that hangs, and never answers again, is away; and back when it does", async (context) => {
  const { view, hooks, make, sees } = await followFake(context);
  await view.tried;
  const go = Promise.withResolvers<void>();
  hooks.before = () => go.promise;
  await soon(() => !view.available());
  delete hooks.before;
  go.resolve();
  await soon(() => view.available());
  await make("web");
  await sees("web running");
});

test("an engine that hangs from the start has been tried, and holds nobody up", async (context) => {
  const { view, hooks } = await followFake(context);
  hooks.before = () => new Promise(() => undefined);
  await view.tried;
  await soon(() => !view.available());
});

test("a look that fails is an engine that is away: all is listed anew", async (context) => {
  const { view, hooks, make, sees, told } = await followFake(context);
  await view.tried;
  hooks.before = ({ method }) => {
    if (method === "containers.getById") throw new AppError("engine_unavailable", "cut");
  };
  await make("web");
  await sees("web running");
  assert.ok(told.includes("resynced 1"));
});

test("the regular look finds what no event told", async (context) => {
  const { view, engine, make, sees, told } = await followFake(context, { resyncEvery: 20 });
  await view.tried;
  const id = await make("web");
  await sees("web running");
  engine.state.containers.delete(id);
  await sees();
  assert.ok(told.includes("gone web"));
});
