import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../src/engines/engine.ts";
import { containerSpec, uniqueName } from "./container-spec.ts";
import type { Abilities, EngineEnv } from "./engine-env.ts";
import { fails, found } from "./engine-checks.ts";

const program = { environment: [] } as const;

type WithContainer = (body: (engine: Engine, id: string, name: string) => Promise<void>) => Promise<void>;

/** Gives one that runs, and removes it at the end. */
function lender(env: () => EngineEnv): WithContainer {
  return async (body) => {
    const { engine, images } = env();
    const spec = containerSpec({ image: images.base });
    const id = await engine.containers.create(spec);
    try {
      await engine.containers.start(id);
      await body(engine, id, spec.name);
    } finally {
      await engine.containers.remove(spec.name);
    }
  };
}

/** What becomes of a container after it was made. */
export function lifeTests(env: () => EngineEnv): void {
  const withContainer = lender(env);
  test("it is shut down, shut down again, and restarted from both states", () =>
    withContainer(async (engine, id) => {
      const { containers } = engine;
      const first = await found(engine, id);
      await containers.restart(id, { grace: 0 });
      const second = await found(engine, id);
      assert.equal(second.state, "running");
      assert.notEqual(second.pid, first.pid);
      assert.equal(second.incarnation, first.incarnation);
      await containers.stop(id, { grace: 1 });
      await containers.stop(id, { grace: 1 });
      assert.equal((await found(engine, id)).state, "stopped");
      await containers.restart(id, { grace: 1 });
      assert.equal((await found(engine, id)).state, "running");
    }));

  test("it is paused and goes on; a paused one can be shut down", () =>
    withContainer(async (engine, id) => {
      const { containers } = engine;
      assert.equal((await found(engine, id)).paused, undefined);
      await containers.pause(id);
      await containers.pause(id);
      const paused = await found(engine, id);
      assert.deepEqual([paused.state, paused.paused], ["running", true]);
      assert.equal((await containers.list()).find((container) => container.id === id)?.paused, true);
      await containers.unpause(id);
      await containers.unpause(id);
      assert.equal((await found(engine, id)).paused, undefined);
      await containers.pause(id);
      await containers.stop(id, { grace: 1 });
      const stopped = await found(engine, id);
      assert.deepEqual([stopped.state, stopped.paused], ["stopped", undefined]);
      await fails(containers.pause(id), "conflict");
      await fails(containers.unpause(id), "conflict");
    }));

  test("it is renamed, and keeps its incarnation", () =>
    withContainer(async (engine, id, name) => {
      const { containers } = engine;
      const before = await found(engine, id);
      const [to, taken] = [uniqueName(), uniqueName()];
      const other = await containers.create(containerSpec({ image: env().images.base, name: taken }));
      if (!engine.capabilities.renamesRunning) {
        await fails(containers.rename(id, to), "conflict");
        await containers.kill(id);
      }
      await fails(containers.rename(id, taken), "conflict", new RegExp(taken));
      const renamed = await containers.rename(id, to);
      assert.equal(await containers.getByName(name), undefined);
      const after = await found(engine, renamed);
      assert.deepEqual([after.name, after.incarnation], [to, before.incarnation]);
      await containers.start(renamed);
      await containers.remove(renamed);
      await containers.remove(other);
    }));

  test("another container of the name is another incarnation", async () => {
    const { engine, images } = env();
    const spec = containerSpec({ image: images.base });
    const first = await found(engine, await engine.containers.create(spec));
    await engine.containers.remove(first.id);
    const second = await found(engine, await engine.containers.create(spec));
    assert.notEqual(second.incarnation, first.incarnation);
    await engine.containers.remove(second.id);
  });

  test("settings are as asked for, and autostart can be changed", async () => {
    const { engine, images } = env();
    const spec = containerSpec({
      image: images.base,
      limits: { cpuTime: 500, cpuWeight: 512, memory: 128 << 20 },
      devices: [{ majors: [{ kind: "c", major: 13 }], access: "rwm" }],
    });
    const id = await engine.containers.create(spec);
    const read = () => engine.containers.settings(id);
    const { limits, devices, mode, mounts, autostart, architecture } = await read();
    assert.deepEqual({ limits, devices, mode, mounts, autostart }, { ...pickSettings(spec), autostart: false });
    assert.match(architecture, /^(amd64|arm64)$/);
    await engine.containers.setAutostart(id, true);
    assert.equal((await read()).autostart, true);
    await engine.containers.setAutostart(id, true);
    assert.equal((await read()).autostart, true, "again");
    await engine.containers.setAutostart(id, false);
    assert.equal((await read()).autostart, false);
    await engine.containers.remove(id);
  });
}

/** Programs in it, an image of it, and looks into it. */
export function insideTests(env: () => EngineEnv, can: Abilities): void {
  const withContainer = lender(env);
  test("a program runs in it to its end", () =>
    withContainer(async (engine, id) => {
      const { containers } = engine;
      const { signal } = new AbortController();
      const result = await containers.exec(id, { ...program, command: ["echo", "a  b", "$HOME"] }, signal);
      assert.deepEqual(result, { exitCode: 0, stdout: "a  b $HOME\n", stderr: "", truncated: false });
      const missing = await containers.exec(id, { ...program, command: ["gantry-no-such-program"] }, signal);
      assert.equal(missing.exitCode, 127);
      await containers.kill(id);
      await fails(containers.exec(id, { ...program, command: ["echo"] }, signal), "conflict");
    }));

  test("a program ends with its signal", () =>
    withContainer(async (engine, id) => {
      const abort = new AbortController();
      const begun = performance.now();
      const running = engine.containers.exec(id, { ...program, command: ["sleep", "987"] }, abort.signal);
      setTimeout(() => abort.abort(), 500);
      await fails(running, "cancelled");
      assert.ok(performance.now() - begun < 10_000);
    }));

  if (can.commits) {
    test("an image is made of it, and takes the name from the one that had it", () =>
      withContainer(async (engine, id) => {
        const reference = `${uniqueName()}:1`;
        const request = { reference, author: "a", message: "m" };
        const first = await engine.containers.commit(id, request);
        assert.deepEqual((await engine.images.get(reference))?.id, first);
        const made = await engine.containers.create(containerSpec({ image: reference }));
        await engine.containers.remove(made);
        await engine.images.remove(first);
      }));
  } else {
    test("no image is made of it", () =>
      withContainer(async (engine, id) => {
        await fails(engine.containers.commit(id, { reference: "a:1", author: "", message: "" }), "unsupported");
      }));
  }

  test("logs and facts can be read", () =>
    withContainer(async (engine, id) => {
      const { text, truncated } = await engine.containers.logs(id, 10);
      assert.deepEqual([typeof text, truncated], ["string", false]);
      const { NetworkSettings } = await engine.containers.inspect(id);
      assert.deepEqual((NetworkSettings as { Ports: unknown }).Ports, {});
    }));

  test("what is not there is said", async () => {
    const { containers } = env().engine;
    const name = uniqueName();
    const { signal } = new AbortController();
    await fails(containers.stop(name), "not_found", new RegExp(name));
    await fails(containers.restart(name), "not_found");
    await fails(containers.pause(name), "not_found");
    await fails(containers.unpause(name), "not_found");
    await fails(containers.rename(name, uniqueName()), "not_found");
    await fails(containers.setAutostart(name, true), "not_found");
    await fails(containers.logs(name, 1), "not_found");
    await fails(containers.inspect(name), "not_found");
    await fails(containers.settings(name), "not_found");
    await fails(containers.exec(name, { ...program, command: ["echo"] }, signal), "not_found");
  });
}

function pickSettings({ limits, devices, network, mounts }: ReturnType<typeof containerSpec>) {
  return { limits, devices, mode: network.mode, mounts };
}
