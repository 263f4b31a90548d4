import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeEngine } from "../../src/engines/fake/fake.ts";
import type { Shape } from "../../src/engines/shape.ts";
import { AppError, type ErrorCode } from "../../src/errors.ts";
import { containerSpec } from "./container-spec.ts";
import { engineContract } from "./contract.ts";
import { fails } from "./engine-checks.ts";

const login = { username: "test", password: "secret", serverAddress: "locked.example" };

engineContract(
  "fake",
  async () => {
    const remote = {
      "reg.example/base:1": { size: 1000 },
      "reg.example/other:1": { size: 2000 },
      "reg.example/slow:1": { size: 3000, duration: 500 },
      "locked.example/app:1": { size: 4000, login },
    };
    const engine = createFakeEngine({ remote });
    let port = 30_000;
    return {
      engine,
      images: {
        base: "reg.example/base:1",
        other: "reg.example/other:1",
        slow: "reg.example/slow:1",
        missing: "reg.example/nothing:1",
        unreachable: "gone.example/x:1",
        broken: "broken.example/x:1",
        locked: "locked.example/app:1",
      },
      login,
      freePort: async () => ++port,
      crash: async () => engine.crash(),
      restart: async () => engine.restart(),
      close: async () => engine.close(),
    };
  },
  { reshapes: true, hasProcesses: false },
);

test("the fake fails a call before it acts, or loses its answer", async () => {
  const lost = new AppError("engine_unavailable", "The answer was lost.");
  let when: "before" | "after" = "before";
  const hook = (at: typeof when) => (call: { method: string }) => {
    if (call.method === "containers.create" && when === at) throw lost;
  };
  const engine = createFakeEngine({
    remote: { "r.example/a:1": { size: 1 } },
    before: hook("before"),
    after: hook("after"),
  });
  await engine.images.pull("r.example/a:1", { signal: new AbortController().signal });
  const spec = containerSpec({ image: "r.example/a:1" });
  await fails(engine.containers.create(spec), "engine_unavailable");
  assert.equal(engine.state.containers.size, 0);
  when = "after";
  await fails(engine.containers.create(spec), "engine_unavailable");
  assert.deepEqual(
    [...engine.state.containers.values()].map(({ name }) => name),
    [spec.name],
  );
});

test("the fake changes a container as it is, and refuses what cannot be with nothing changed", async () => {
  const engine = createFakeEngine({ remote: { "r.example/a:1": { size: 1 } } });
  await engine.images.pull("r.example/a:1", { signal: new AbortController().signal });
  const [id, other] = [await create(), await create()];
  const { containers } = engine;
  await containers.start(id);
  const change = { hostname: "h1", cpuTime: 1500, memory: 1 << 26, size: 1 << 30, nameServers: ["192.0.2.53"] };
  assert.deepEqual(await containers.planReshape(id, change), { restarts: true });
  await containers.reshape(id, { ...change, addresses: ["10.98.0.7/24"] });
  assert.deepEqual(await containers.planReshape(id, change), { restarts: false });
  const shape = await containers.shape(id);
  assert.deepEqual(shape, { ...change, addresses: ["10.98.0.7/24"] });
  await refuses(other, { addresses: ["10.98.0.8", "10.98.0.7"] }, "conflict", "addresses");
  await refuses(id, { hostname: "h2", size: 1000 }, "conflict", "size");
  await refuses(id, { hostname: "h2", memory: 1000 }, "invalid", "memory");
  assert.deepEqual(await containers.shape(id), shape);
  await containers.remove(id);
  await containers.reshape(other, { addresses: ["10.98.0.7"] });
  await fails(containers.reshape(id, {}), "not_found");

  function create(): Promise<string> {
    return engine.containers.create(containerSpec({ image: "r.example/a:1" }));
  }
  async function refuses(subject: string, wanted: Shape, code: ErrorCode, field: keyof Shape): Promise<void> {
    for (const call of [containers.planReshape(subject, wanted), containers.reshape(subject, wanted)]) {
      await assert.rejects(call, { code, details: { field } });
    }
  }
});
