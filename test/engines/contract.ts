import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { containerTests, crashTests, eventTests } from "./contract-containers.ts";
import { insideTests, lifeTests } from "./contract-life.ts";
import { imageTests, loginTests, pullTests } from "./contract-images.ts";
import { nameTests } from "./contract-names.ts";
import { shapeTests } from "./contract-shape.ts";
import { pull, removeOwn } from "./engine-checks.ts";
import type { Abilities, EngineEnv } from "./engine-env.ts";

/** What every driver must do, and the fake. Nothing here knows which engine it is; `can` is what it says of itself. */
export function engineContract(name: string, makeEnv: () => Promise<EngineEnv>, can: Partial<Abilities> = {}): void {
  const { hasProcesses = true, ...said } = can;
  describe(`engine contract: ${name}`, { concurrency: false }, () => {
    let env: EngineEnv;
    before(async () => {
      env = await makeEnv();
      await pull(env.engine, env.images.base);
    });
    after(async () => {
      await removeOwn(env.engine);
      await env.close();
    });
    const current = (): EngineEnv => env;
    const all = { registries: true, publishedPorts: true, imagesInUse: true, commits: true, reshapes: false };
    const abilities = { ...all, ...said, hasProcesses };
    test("the engine says of itself what it is tested for", () => {
      const { registries, publishedPorts, imagesInUse, commits, reshapes } = env.engine.capabilities;
      assert.deepEqual({ registries, publishedPorts, imagesInUse, commits, reshapes, hasProcesses }, abilities);
    });
    imageTests(current, abilities);
    pullTests(current);
    if (abilities.registries) loginTests(current);
    containerTests(current, abilities);
    nameTests(current);
    lifeTests(current);
    insideTests(current, abilities);
    if (abilities.reshapes && hasProcesses) shapeTests(current);
    eventTests(current);
    crashTests(current);
  });
}
