import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createFakeEngine } from "../../src/engines/fake/fake.ts";
import { hasCode } from "../../src/errors.ts";
import { createInventory } from "../../src/inventory/inventory.ts";
import { createTaken } from "../../src/services/taken.ts";
import { containerSpec } from "../engines/container-spec.ts";
import { freePort } from "../support/station.ts";

const image = "reg.example/base:1";
const never = () => Promise.reject(new Error("No claim is asked for."));

/** A container that has a port of the host, as the picture shows it. */
async function world(context: TestContext) {
  const engine = createFakeEngine({ remote: { [image]: { size: 1 } } });
  await engine.images.pull(image, { signal: new AbortController().signal });
  const port = await freePort();
  const ports = [{ host: port, container: 80, protocol: "tcp" as const }];
  const id = await engine.containers.create(containerSpec({ name: "web", image, ports }));
  await engine.containers.start(id);
  const inventory = createInventory([engine]);
  context.after(() => inventory.close());
  await inventory.views()[0]?.tried;
  const taken = createTaken(inventory, { claims: never, claimant: never, releaseClaims: never });
  const plan = { types: ["docker"], lane: "quick", name: "new", locks: [], creates: null } as const;
  const refuse = () => taken.refuse({ ...plan, ports: [{ protocol: "tcp", port }] });
  return { engine, id, refuse, isShown: () => inventory.views()[0]?.byName("web") !== undefined };
}

const isTaken = (error: unknown): boolean =>
  hasCode(error, "conflict") && /by docker container web/.test(String(error));

test("a port that a container has is refused", async (context) => {
  const { refuse } = await world(context);
  await assert.rejects(refuse(), isTaken);
});

test("one of a container that was removed a moment ago is not, though the picture still shows it", async (context) => {
  const { engine, id, refuse, isShown } = await world(context);
  await engine.containers.remove(id);
  assert.ok(isShown());
  await refuse();
});

test("of an engine that does not answer the picture counts", async (context) => {
  const { engine, refuse } = await world(context);
  engine.containers.getById = () => Promise.reject(new Error("It is away."));
  await assert.rejects(refuse(), isTaken);
});
