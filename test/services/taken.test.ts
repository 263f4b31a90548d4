import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { createFakeEngine } from "../../src/engines/fake/fake.ts";
import { hasCode } from "../../src/errors.ts";
import { createInventory } from "../../src/inventory/inventory.ts";
import { createOwners } from "../../src/services/access/owners.ts";
import type { User } from "../../src/services/access/policy.ts";
import { containerKey } from "../../src/services/planning/resource-keys.ts";
import { createAvailability } from "../../src/services/containers/availability.ts";
import { containerSpec, testStation } from "../engines/container-spec.ts";
import { freePort } from "../support/free-port.ts";

const image = "reg.example/base:1";

const admin: User = { name: "admin", role: "admin" };
const [eve, bob]: User[] = ["eve", "bob"].map((name) => ({ name, role: "operator" }));

/** A container of eve that has a port of the host, as the picture shows it. */
async function world(context: TestContext) {
  const engine = createFakeEngine({ remote: { [image]: { size: 1 } } });
  await engine.images.pull(image, { signal: new AbortController().signal });
  const port = await freePort();
  const ports = [{ host: port, container: 80, protocol: "tcp" as const }];
  const id = await engine.containers.create(containerSpec({ name: "web", image, ports }));
  await engine.containers.start(id);
  const inventory = createInventory([engine]);
  context.after(() => inventory.close());
  await inventory.views()[0]?.firstAttempt;
  const owners = createOwners({ tasks: { ownerOf: async () => "eve" }, station: testStation });
  // The claim that its create has left.
  const claim = { protocol: "tcp", port, owner: "docker/c/web" };
  const claims = [claim];
  const tasks = { claimant: async () => claims[0]?.owner, releaseClaims: async () => void claims.pop() };
  const availability = createAvailability(inventory, tasks, owners);
  const plan = { types: ["docker"], lane: "quick", name: "new", locks: [], creates: null } as const;
  const refuse = (user = admin, claimed = port) =>
    availability.assertFree({ ...plan, ports: [{ protocol: "tcp", port: claimed }] }, user);
  const refuseName = (user: User) =>
    availability.assertFree({ ...plan, creates: containerKey("docker", "web"), ports: [] }, user);
  const isShown = () => inventory.views()[0]?.byName("web") !== undefined;
  return { engine, id, port, availability, claim, claims, refuse, refuseName, isShown };
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

test("its claim is dropped too, and the port is told to be free", async (context) => {
  const { engine, id, port, availability, claim, claims, isShown } = await world(context);
  assert.equal(await availability.releaseIfStale(claim), false, "it is there");
  assert.equal(await availability.holdsPort({ protocol: "tcp", port }), true);
  await engine.containers.remove(id);
  assert.ok(isShown());
  assert.equal(await availability.releaseIfStale(claim), true);
  assert.deepEqual(claims, []);
  assert.equal(await availability.releaseIfStale(claim), true, "also when it was dropped a moment before");
  assert.equal(await availability.holdsPort({ protocol: "tcp", port }), false);
});

test("of an engine that does not answer the picture counts", async (context) => {
  const { engine, refuse } = await world(context);
  engine.containers.getById = () => Promise.reject(new Error("It is away."));
  await assert.rejects(refuse(), isTaken);
});

test("an operator is told of his own container, and of another's only that the name or the port is taken", async (context) => {
  const { refuse, refuseName, port } = await world(context);
  const conflict = (message: string) => ({ code: "conflict", message });
  await assert.rejects(refuse(eve), conflict(`Port ${port}/tcp is taken by docker container web.`));
  await assert.rejects(refuse(bob), conflict(`Port ${port}/tcp is taken.`));
  assert.ok(eve && bob);
  await assert.rejects(refuseName(eve), conflict("A docker container named web exists already."));
  await assert.rejects(refuseName(bob), conflict("The name web is taken."));
});

test("an operator is not told of the host's programs", async (context) => {
  const { refuse } = await world(context);
  const server = createServer().listen(0, "127.0.0.1");
  context.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await assert.rejects(refuse(admin, port), { message: new RegExp(`taken by .*process ${process.pid}`) });
  await assert.rejects(refuse(bob, port), { message: `Port ${port}/tcp is taken.` });
});
