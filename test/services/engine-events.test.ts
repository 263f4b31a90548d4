import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createFakeEngine } from "../../src/engines/fake/fake.ts";
import { createInventory } from "../../src/inventory/inventory.ts";
import { createEngineEvents } from "../../src/services/events/engine-events.ts";
import { containerSpec } from "../engines/container-spec.ts";
import { soon } from "../tasks/world.ts";

const image = "reg.example/base:1";

/** An engine, and what is told of it: "web start by system". */
async function world(context: TestContext) {
  const engine = createFakeEngine({ remote: { [image]: { size: 1 } } });
  await engine.images.pull(image, { signal: new AbortController().signal });
  const told: string[] = [];
  const users = new Map<string, string>();
  const listener = createEngineEvents(
    (kind, user, data) =>
      void told.push([data["container"] ?? kind, data["state"] ?? data["action"], "by", user].join(" ")),
    { of: (_, name) => users.get(name) ?? "system", watch: (kinds) => kinds },
  );
  const make = async (name: string) => {
    const id = await engine.containers.create(containerSpec({ name, image }));
    await engine.containers.start(id);
    return id;
  };
  const inventory = () => {
    const inventory = createInventory([engine], listener);
    context.after(() => inventory.close());
    return inventory;
  };
  return {
    engine,
    told,
    users,
    make,
    inventory,
    says: (...lines: string[]) => soon(() => told.join() === lines.join()),
  };
}

test("what is there at the beginning is no news; what comes then is", async (context) => {
  const { engine, told, make, inventory, says } = await world(context);
  const old = await make("old");
  await inventory().views()[0]?.firstAttempt;
  assert.deepEqual(told, []);
  await make("web");
  await engine.containers.kill(old);
  await engine.containers.remove(old);
  await says("web create by system", "web start by system", "old stop by system", "old destroy by system");
});

test("what was done by a task is its user's", async (context) => {
  const { users, make, inventory, says } = await world(context);
  await inventory().views()[0]?.firstAttempt;
  users.set("web", "eva");
  await make("web");
  await says("web create by eva", "web start by eva");
});

test("what happened while the engine was away is told when it is back, once", async (context) => {
  const { engine, told, make, inventory } = await world(context);
  const [gone, stopped, kept] = [await make("gone"), await make("stopped"), await make("kept")];
  const [view] = inventory().views();
  await view?.firstAttempt;
  engine.crash();
  await soon(() => view?.available() === false);
  const { containers } = engine.state;
  const kind = containers.get(kept);
  assert.ok(kind);
  containers.delete(gone);
  containers.set(stopped, { ...kind, id: stopped, name: "stopped", state: "stopped", pid: 0 });
  containers.set("new", { ...kind, id: "new", name: "new", pid: 7 });
  engine.restart();
  await soon(() => told.length >= 4);
  const expected = ["gone destroy by system", "new create by system", "new start by system", "stopped stop by system"];
  assert.deepEqual(told.toSorted(), expected);
  await engine.containers.kill(stopped);
  await engine.containers.start(stopped);
  await soon(() => told.at(-1) === "stopped start by system");
  assert.equal(told.length, 5);
});

test("images: at once, and of many changes few words", async (context) => {
  const { engine, told, inventory } = await world(context);
  await inventory().views()[0]?.firstAttempt;
  const begun = performance.now();
  for (let n = 0; n < 20; n++) {
    await engine.images.pull(image, { signal: new AbortController().signal });
    await engine.images.remove(image);
  }
  await soon(() => told.length >= 1);
  const seconds = Math.floor((performance.now() - begun) / 1000);
  await soon(() => told.length >= 2);
  // At once, then once a second, and once after the last change.
  assert.ok(told.length <= 2 + seconds, `${told.length} in ${seconds} s`);
  assert.deepEqual(new Set(told), new Set(["image update by system"]));
});
