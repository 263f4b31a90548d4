import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import type { Capabilities } from "../../src/engines/capabilities.ts";
import type { Engine, RegistryLogin } from "../../src/engines/engine.ts";
import { containerTests, crashTests, eventTests } from "./contract-containers.ts";
import { insideTests, lifeTests } from "./contract-life.ts";
import { imageTests, loginTests, pullTests } from "./contract-images.ts";
import { shapeTests } from "./contract-shape.ts";
import { pull, removeOwn } from "./engine-checks.ts";

/** Where the suite runs: an engine, and references of images whose registries behave in a known way. */
export interface EngineEnv {
  engine: Engine;
  images: {
    /** Pulled at the start; its containers stay up by themselves. */
    base: string;
    /** To be had, and not used by anything else. */
    other: string;
    /** To be had, in a second or more. */
    slow: string;
    /** The registry answers, and has it not. */
    missing: string;
    /** Nothing answers. */
    unreachable: string;
    /** The registry answers with an error of its own. */
    broken: string;
    /** Only with `login`; empty where an engine's registries have none. */
    locked: string;
  };
  login?: RegistryLogin;
  freePort(): Promise<number>;
  /** The station itself pulls: the engine's end is not a pull's. */
  ownPulls?: true;
  /** Ends the engine without warning. Containers stay. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** What decides which of the suite's tests an engine gets. */
export type Abilities = Pick<Capabilities, "registries" | "publishedPorts" | "imagesInUse" | "commits" | "reshapes"> & {
  /** Its containers run on this host: what is changed of them can be seen there. The fake's do not. */
  hasProcesses: boolean;
};

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
    lifeTests(current);
    insideTests(current, abilities);
    if (abilities.reshapes && hasProcesses) shapeTests(current);
    eventTests(current);
    crashTests(current);
  });
}
