import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../src/errors.ts";
import { soon } from "../tasks/world.ts";
import { followFake } from "./view-world.ts";

test("existing containers are listed, later changes are seen by events, and listeners are told once", async (context) => {
  const { view, make, sees, notices, engine } = await followFake(context);
  await view.firstAttempt;
  assert.equal(view.available(), true);
  const id = await make("web");
  await sees("web running");
  await make("idle", false);
  await sees("idle stopped", "web running");
  assert.equal(view.byName("web")?.id, id);
  await engine.containers.remove(id);
  await sees("idle stopped");
  assert.equal(view.byName("web"), undefined);
  assert.deepEqual(notices, ["resynced 0", "started web", "removed web"]);
});

test("a name that is used again belongs to the new container, whatever event about the old one follows", async (context) => {
  const { view, make, sees, engine } = await followFake(context);
  await view.firstAttempt;
  const old = await make("web", false);
  await sees("web stopped");
  const container = engine.state.containers.get(old);
  assert.ok(container);
  // Renamed, and no event notices of it.
  engine.state.containers.set(old, { ...container, name: "web-old" });
  const id = await make("web");
  await sees("web running", "web stopped");
  await engine.containers.remove(old);
  await sees("web running");
  assert.equal(view.byName("web")?.id, id);
});

test("listeners are told about a restart, because the first process is another one", async (context) => {
  const { view, make, notices, engine } = await followFake(context);
  await view.firstAttempt;
  const id = await make("web");
  await soon(() => notices.length === 2);
  const found = engine.state.containers.get(id);
  assert.ok(found);
  engine.state.containers.set(id, { ...found, state: "stopped", pid: 0 });
  await engine.containers.start(id);
  await soon(() => notices.length === 3);
  assert.deepEqual(notices, ["resynced 0", "started web", "started web"]);
});

test("while an engine is away its last containers stay; when it is back, waiters wake and missed changes are found", async (context) => {
  const { view, make, sees, seen, notices, engine } = await followFake(context);
  await view.firstAttempt;
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
  notices.length = 0;
  engine.restart();
  await waiting;
  assert.deepEqual([view.available(), seen()], [true, ["kept running"]]);
  assert.deepEqual(notices, ["removed lost", "resynced 1"]);
  await make("new");
  await sees("kept running", "new running");
});

test("a burst of 500 events causes few inspections, and all containers are seen", async (context) => {
  const { view, make, seen, calls } = await followFake(context);
  await view.firstAttempt;
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

test("many events of one container at once cause few inspections", async (context) => {
  const { view, make, engine, calls, sees } = await followFake(context, { eventDelay: 200 });
  await view.firstAttempt;
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

test("an engine that hangs counts as away until it answers again", async (context) => {
  const { view, hooks, make, sees } = await followFake(context);
  await view.firstAttempt;
  const go = Promise.withResolvers<void>();
  hooks.before = () => go.promise;
  await soon(() => !view.available());
  delete hooks.before;
  go.resolve();
  await soon(() => view.available());
  await make("web");
  await sees("web running");
});

test("an engine that hangs from the start does not delay those who wait for the first attempt", async (context) => {
  const { view, hooks } = await followFake(context);
  hooks.before = () => new Promise(() => undefined);
  await view.firstAttempt;
  await soon(() => !view.available());
});

test("an engine that is late once, and answers when it is asked again, does not count as away", async (context) => {
  const { view, hooks, make, sees, calls, notices } = await followFake(context);
  await view.firstAttempt;
  const never = new Promise<void>(() => undefined);
  let late = 0;
  hooks.before = ({ method }) => (method === "info" && late++ === 0 ? never : undefined);
  const before = calls["info"] ?? 0;
  await soon(() => (calls["info"] ?? 0) > before + 2);
  await soon(() => notices.length > 1);
  assert.equal(view.outages(), 0);
  await make("web");
  await sees("web running");
});

test("an engine that answers but lists its containers no more counts as away until it does", async (context) => {
  const { view, hooks } = await followFake(context, { resyncInterval: 20 });
  await view.firstAttempt;
  hooks.before = ({ method }) => {
    if (method === "containers.list") throw new AppError("engine_failed", "no list");
  };
  await soon(() => !view.available());
  delete hooks.before;
  await soon(() => view.available());
});

test("after a failed inspection all containers are listed again, and an engine that answers does not count as away", async (context) => {
  const { view, hooks, make, sees, notices } = await followFake(context);
  await view.firstAttempt;
  hooks.before = ({ method }) => {
    if (method === "containers.getById") throw new AppError("engine_unavailable", "cut");
  };
  await make("web");
  await sees("web running");
  assert.ok(notices.includes("resynced 1"));
  assert.equal(view.outages(), 0);
});

test("the regular list finds changes that no event reported", async (context) => {
  const { view, engine, make, sees, notices } = await followFake(context, { resyncInterval: 20 });
  await view.firstAttempt;
  const id = await make("web");
  await sees("web running");
  engine.state.containers.delete(id);
  await sees();
  assert.ok(notices.includes("removed web"));
});
