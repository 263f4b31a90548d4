import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createFakeEngine } from "../../src/engines/fake/fake.ts";
import type { FakeCall } from "../../src/engines/fake/state.ts";
import type { Container } from "../../src/engines/engine.ts";
import { createShares } from "../../src/shares/shares.ts";
import { createSweeper } from "../../src/services/containers/sweeper.ts";
import { containerSpec } from "../engines/container-spec.ts";
import { accept, completed, inDebt, noon, port, running } from "../storage/contract-fixture.ts";
import { openTemporary } from "../storage/temporary.ts";
import { soon } from "../tasks/world.ts";
import { createTestLog } from "../support/log.ts";

const image = "reg.example/base:1";
const station = "station-a";

async function createWorld(context: TestContext) {
  const { database, close } = await openTemporary();
  context.after(close);
  const { tasks } = database;
  const hooks: { after?: (call: FakeCall) => Promise<void> | void } = {};
  const engine = createFakeEngine({ remote: { [image]: { size: 1 } }, after: (call) => hooks.after?.(call) });
  await engine.images.pull(image, { signal: new AbortController().signal });
  const logged: string[] = [];
  const sweeper = createSweeper({
    tasks,
    folders: { shares: createShares({}), pins: { placeOf: () => undefined } },
    station,
    log: createTestLog((message) => logged.push(message)),
  });
  const listed = () => engine.containers.list();
  return {
    tasks,
    hooks,
    engine,
    logged,
    sweeper,
    make: (name: string, task: number, of = station) =>
      engine.containers.create(containerSpec({ name, image, mark: { station: of, task } })),
    publish: (name: string, task: number, host: number) =>
      engine.containers.create(
        containerSpec({ name, image, mark: { station, task }, ports: [{ host, container: 80, protocol: "tcp" }] }),
      ),
    names: () => [...engine.state.containers.values()].map(({ name }) => name).sort(),
    claims: async () => (await tasks.claims()).map(({ owner }) => owner).sort(),
    listed,
    sweep: async () => sweeper.resynced(engine, await listed()),
  };
}

/** As long as a sweep takes that finds nothing to do. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 40));
const claim = (name: string, number: number) => ({ creates: `docker/c/${name}`, ports: [port(number)] });

test("only containers and images that an undone task of this station left are removed", async (context) => {
  const { tasks, make, names, sweep } = await createWorld(context);
  const cancelled = await running(tasks, { name: "left-1" });
  await tasks.cancel({ id: cancelled, now: noon });
  await tasks.finish({ id: cancelled, error: null, undoFailed: false, now: noon });
  const failed = await running(tasks, { name: "left-2" });
  await tasks.startUndo({ id: failed, error: "no", now: noon });
  await tasks.finish({ id: failed, error: null, undoFailed: false, now: noon });
  const partly = await running(tasks);
  await tasks.complete({ id: partly, result: 1, error: "It did not start.", now: noon });
  const undoing = await running(tasks);
  await tasks.cancel({ id: undoing, now: noon });
  const others = {
    done: await completed(tasks),
    partly,
    undoing,
    running: await running(tasks),
    owing: await inDebt(tasks),
    unknown: 9999,
  };
  for (const [name, task] of Object.entries(others)) await make(name, task);
  await make("left-1", cancelled);
  await make("left-2", failed);
  await make("of-another-station", cancelled, "station-b");
  // As after a restored data folder, whose ids are given out again.
  await make("of-another-task", failed);
  await sweep();
  await soon(() => names().length === 8);
  assert.deepEqual(names(), [...Object.keys(others), "of-another-station", "of-another-task"].sort());
});

test("port claims of removed containers are released; those of another engine and of running tasks stay", async (context) => {
  const { tasks, make, publish, claims, sweep } = await createWorld(context);
  await publish("kept", await completed(tasks, claim("kept", 80)), 80);
  await completed(tasks, claim("replaced", 84));
  await make("replaced", 9999, "made-by-hand");
  await completed(tasks, claim("lost", 81));
  await completed(tasks, { creates: "lxd/c/lost", ports: [port(82)] });
  await accept(tasks, claim("coming", 83));
  await sweep();
  await soon(async () => (await claims()).length === 2);
  assert.deepEqual(await claims(), ["docker/c/kept", "lxd/c/lost"]);
  assert.ok(
    "claimed" in
      (await tasks.accept({
        ...(await tasks.active())[0]!.task,
        ...claim("x", 83),
        locks: [],
        idempotency: null,
        now: noon,
      })),
  );
});

test("a container that was made after the list keeps its port claims", async (context) => {
  const { tasks, make, claims, listed, sweeper, engine } = await createWorld(context);
  const old = await listed();
  await make("web", await completed(tasks, claim("web", 80)));
  sweeper.resynced(engine, old);
  await aWhile();
  assert.deepEqual(await claims(), ["docker/c/web"]);
});

test("a task of the same name that is accepted during the sweep keeps its port claims", async (context) => {
  const { tasks, engine, claims, hooks, sweep } = await createWorld(context);
  await completed(tasks, claim("web", 80));
  const next = Promise.withResolvers<number>();
  hooks.after = async ({ method }) => {
    if (method !== "containers.getByName") return;
    delete hooks.after;
    next.resolve(await running(tasks, claim("web", 81)));
  };
  await sweep();
  const id = await next.promise;
  await soon(async () => (await claims()).length === 0);
  await tasks.complete({ id, result: 0, error: null, now: noon });
  assert.deepEqual(
    (await tasks.claims()).map(({ port }) => port),
    [81],
  );
  engine.close();
});

test("a removed container's port claims are released, unless another container has its name", async (context) => {
  const { tasks, make, claims, sweeper, engine } = await createWorld(context);
  const gone = { id: "old", name: "web" } as Container;
  const id = await make("web", await completed(tasks, claim("web", 80)));
  sweeper.removed(engine, gone);
  await aWhile();
  assert.deepEqual(await claims(), ["docker/c/web"]);
  await engine.containers.remove(id);
  sweeper.removed(engine, gone);
  await soon(async () => (await claims()).length === 0);
});

test("a started container gets the settings that its engine does not keep, and a failure is only logged", async (context) => {
  const { engine, sweeper, logged, make } = await createWorld(context);
  const foreign = await make("foreign", 1, "station-b");
  await engine.containers.start(foreign);
  sweeper.started(engine, (await engine.containers.getById(foreign)) as Container);
  await aWhile();
  assert.deepEqual(engine.attached, [], "what this station did not make gets nothing");
  const id = await make("web", 1);
  await engine.containers.start(id);
  const container = (await engine.containers.getById(id)) as Container;
  sweeper.started(engine, container);
  await soon(() => engine.attached.includes(id));
  engine.crash();
  sweeper.started(engine, container);
  sweeper.resynced(engine, [container]);
  sweeper.removed(engine, container);
  await soon(() => logged.includes("a started container") && logged.includes("release of ports"));
});
