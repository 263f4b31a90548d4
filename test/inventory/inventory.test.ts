import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeEngine } from "../../src/engines/fake/fake.ts";
import { createInventory } from "../../src/inventory/inventory.ts";

test("firstLists waits for the first list of every engine, but not forever for one that never lists", async (context) => {
  let lists = 0;
  const engine = createFakeEngine({
    remote: {},
    async before({ method }) {
      if (method !== "containers.list") return;
      lists++;
      await new Promise(() => undefined);
    },
  });
  const inventory = createInventory([engine]);
  context.after(inventory.close);
  let tried = false;
  void inventory.view(engine.type)?.firstAttempt.then(() => (tried = true));
  await inventory.firstLists;
  assert.deepEqual([lists, tried], [1, false]);
});
