import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import type { PullProgress } from "../../src/engines/images.ts";
import { containerSpec } from "./container-spec.ts";
import type { Abilities, EngineEnv } from "./engine-env.ts";
import { checkProgress, fails, pull } from "./engine-checks.ts";

export function imageTests(env: () => EngineEnv, can: Abilities): void {
  test("info names the version", async () => {
    assert.match((await env().engine.info()).version, /^\d/);
  });

  test("an image is pulled, listed, found by tag and id, and removed", async () => {
    const { engine, images } = env();
    const steps = await pull(env().engine, images.other);
    checkProgress(steps);
    const image = await engine.images.get(images.other);
    assert.ok(image && image.size > 0 && image.tags.includes(images.other));
    assert.deepEqual((await engine.images.get(image.id))?.id, image.id);
    assert.ok((await engine.images.list()).some(({ id, tags }) => id === image.id && tags.includes(images.other)));
    await pull(env().engine, images.other);
    await engine.images.remove(images.other);
    assert.equal(await engine.images.get(images.other), undefined);
    await fails(engine.images.remove(images.other), "not_found");
  });

  if (can.imagesInUse) {
    test("an image in use is not removed", async () => {
      const { engine, images } = env();
      const id = await engine.containers.create(containerSpec({ image: images.base }));
      const image = await engine.images.get(images.base);
      for (const tag of image?.tags.filter((other) => other !== images.base) ?? []) await engine.images.remove(tag);
      await fails(engine.images.remove(images.base), "conflict");
      assert.ok(await engine.images.get(images.base));
      await engine.containers.remove(id);
    });
  } else {
    test("a container stays what it is without its image", async () => {
      const { engine, images } = env();
      await pull(engine, images.other);
      const id = await engine.containers.create(containerSpec({ image: images.other }));
      const made = await engine.containers.getById(id);
      await engine.images.remove(images.other);
      assert.deepEqual(await engine.containers.getById(id), made);
      await engine.containers.start(id);
      await engine.containers.remove(id);
    });
  }
}

export function pullTests(env: () => EngineEnv): void {
  test("what a registry does not have, does not give or does not answer", async () => {
    const { images } = env();
    await fails(pull(env().engine, images.missing), "not_found", /has no image/);
    await fails(pull(env().engine, images.unreachable), "remote_failed");
    await fails(pull(env().engine, images.broken), "remote_failed");
  });

  test("an aborted pull leaves no image, and can be made again", async () => {
    const { engine, images } = env();
    const abort = new AbortController();
    const percents: number[] = [];
    const onProgress = ({ percent }: PullProgress): void => {
      percents.push(percent);
      if (percent >= 20) abort.abort();
    };
    await fails(engine.images.pull(images.slow, { onProgress, signal: abort.signal }), "cancelled");
    assert.ok((percents.at(-1) ?? 100) < 100, `stopped at ${percents.at(-1)}%`);
    await delay(500);
    assert.equal(await engine.images.get(images.slow), undefined);
    const steps = await pull(env().engine, images.slow);
    checkProgress(steps);
    assert.ok(
      steps.some(({ percent }) => percent > 0 && percent < 100),
      "progress in between is told",
    );
    await engine.images.remove(images.slow);
  });

  test("a signal that is aborted already does nothing", async () => {
    const { engine, images } = env();
    const spec = containerSpec({ image: images.base });
    await fails(engine.images.pull(images.other, { signal: AbortSignal.abort() }), "cancelled");
    await fails(engine.containers.create(spec, AbortSignal.abort()), "cancelled");
    await fails(engine.containers.list(AbortSignal.abort()), "cancelled");
    assert.equal(await engine.containers.getByName(spec.name), undefined);
  });
}

export function loginTests(env: () => EngineEnv): void {
  test("a login opens a registry, and nothing else does", async () => {
    const { engine, images, login } = env();
    assert.ok(login);
    await fails(pull(engine, images.locked), "remote_failed");
    await fails(pull(engine, images.locked, { ...login, password: "wrong" }), "remote_failed");
    assert.equal(await engine.images.get(images.locked), undefined);
    await pull(engine, images.locked, login);
    assert.ok(await engine.images.get(images.locked));
    await engine.images.remove(images.locked);
  });
}
