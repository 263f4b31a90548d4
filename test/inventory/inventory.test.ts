import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeEngine } from "../../src/engines/fake/fake.ts";
import { createInventory } from "../../src/inventory/inventory.ts";

test("the first look waits for every engine's first list, but not for ever for one that never lists", async (context) => {
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
  void inventory.view(engine.type)?.tried.then(() => (tried = true));
  await inventory.looked;
  assert.deepEqual([lists, tried], [1, false]);
});
