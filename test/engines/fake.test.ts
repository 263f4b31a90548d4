import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeEngine } from "../../src/engines/fake/fake.ts";
import { AppError } from "../../src/errors.ts";
import { containerSpec } from "./container-spec.ts";
import { engineContract } from "./contract.ts";
import { fails } from "./engine-checks.ts";

const login = { username: "test", password: "secret", serverAddress: "locked.example" };

engineContract("fake", async () => {
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
});

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
