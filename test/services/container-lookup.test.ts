import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Container, EngineType } from "../../src/engines/engine.ts";
import { createFakeEngine } from "../../src/engines/fake/fake.ts";
import { hasCode } from "../../src/errors.ts";
import { createInventory } from "../../src/inventory/inventory.ts";
import { createContainerLookup } from "../../src/services/containers/lookup.ts";
import { findContainer } from "../../src/services/containers/find.ts";

const plain = { incarnation: "1", state: "stopped", image: "", imageId: "", ports: [], pid: 0, mounts: [] } as const;
const idOf = (start: string) => start.padEnd(64, "0");
const [a, b, c] = [idOf("aaaaaaaaaaaa1"), idOf("bbbbbbbbbbbb1"), idOf("cccccccccccc1")];
const twin = idOf("cccccccccccc2");

/** Name -> id. Names that look like ids are from before they were refused, or made by another program. */
const docker = {
  web: a,
  db: b,
  one: c,
  two: twin,
  [a.slice(0, 12)]: idOf("d1"),
  [b]: idOf("d2"),
  cafecafecafe: idOf("d3"),
};

async function world(context: TestContext, type: EngineType, containers: Record<string, string>) {
  const engine = createFakeEngine({ type });
  for (const [name, id] of Object.entries(containers))
    engine.state.containers.set(id, { ...plain, id, name } satisfies Container);
  const inventory = createInventory([engine]);
  context.after(() => inventory.close());
  const view = inventory.views()[0];
  assert.ok(view);
  await view.firstAttempt;
  const lookup = createContainerLookup(inventory);
  /** By what is known, and by what the engine says now: both must mean the same. */
  return async function find(text: string): Promise<string | undefined> {
    const [known, asked] = await Promise.allSettled([
      (async () => findContainer(view, text)?.id)(),
      lookup({ type, id: text }).then(({ container }) => container.id),
    ]);
    if (known.status === "rejected") {
      assert.deepEqual(asked, known);
      throw known.reason;
    }
    if (asked.status === "fulfilled") assert.equal(asked.value, known.value);
    else assert.ok(hasCode(asked.reason, "not_found") && known.value === undefined, String(asked.reason));
    return known.value;
  };
}

test("a text means a full id, then an exact name, then the beginning of one id", async (context) => {
  const find = await world(context, "docker", docker);
  const meant: [text: string, id: string | undefined][] = [
    [a, a],
    ["web", a],
    [b, b],
    [b.slice(0, 12), b],
    [b.slice(0, 63), b],
    [c.slice(0, 13), c],
    ["cafecafecafe", idOf("d3")],
    [b.slice(0, 11), undefined],
    [b.slice(0, 12).toUpperCase(), undefined],
    [`sha256:${b}`, undefined],
    ["/web", undefined],
    ["we", undefined],
  ];
  for (const [text, id] of meant) assert.equal(await find(text), id, text);
});

test("a text that means several is a conflict, also where one of them has it as its name", async (context) => {
  const find = await world(context, "docker", docker);
  for (const text of [c.slice(0, 12), a.slice(0, 12)])
    await assert.rejects(find(text), (error: unknown) => hasCode(error, "conflict") && error.message.includes(text));
});

test("where the id is the name, the beginning of one is nothing", async (context) => {
  const name = "aaaaaaaaaaaabbbb";
  const find = await world(context, "lxc", { [name]: name });
  assert.equal(await find(name), name);
  assert.equal(await find(name.slice(0, 12)), undefined);
});
