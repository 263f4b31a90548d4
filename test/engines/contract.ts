import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import type { Container, Engine, EngineEvent, PullProgress, RegistryLogin } from "../../src/engines/engine.ts";
import { hasCode, type ErrorCode } from "../../src/errors.ts";
import { containerSpec, testStation, uniqueName } from "./container-spec.ts";

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
    /** Only with `login`. */
    locked: string;
  };
  login: RegistryLogin;
  freePort(): Promise<number>;
  /** Ends the engine without warning. Containers stay. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** What every driver must do, and the fake. Nothing here knows which engine it is. */
export function engineContract(name: string, makeEnv: () => Promise<EngineEnv>): void {
  describe(`engine contract: ${name}`, { concurrency: false }, () => {
    let env: EngineEnv;
    before(async () => {
      env = await makeEnv();
      await pull(env, env.images.base);
    });
    after(async () => {
      await removeOwn(env.engine);
      await env.close();
    });
    const current = (): EngineEnv => env;
    imageTests(current);
    pullTests(current);
    containerTests(current);
    eventTests(current);
    crashTests(current);
  });
}

function imageTests(env: () => EngineEnv): void {
  test("info names the version", async () => {
    assert.match((await env().engine.info()).version, /^\d/);
  });

  test("an image is pulled, listed, found by tag and id, and removed", async () => {
    const { engine, images } = env();
    const steps = await pull(env(), images.other);
    checkProgress(steps);
    const image = await engine.images.get(images.other);
    assert.ok(image && image.size > 0 && image.tags.includes(images.other));
    assert.deepEqual((await engine.images.get(image.id))?.id, image.id);
    assert.ok((await engine.images.list()).some(({ id, tags }) => id === image.id && tags.includes(images.other)));
    await pull(env(), images.other);
    await engine.images.remove(images.other);
    assert.equal(await engine.images.get(images.other), undefined);
    await fails(engine.images.remove(images.other), "not_found");
  });

  test("an image in use is not removed", async () => {
    const { engine, images } = env();
    const id = await engine.containers.create(containerSpec({ image: images.base }));
    const image = await engine.images.get(images.base);
    for (const tag of image?.tags.filter((other) => other !== images.base) ?? []) await engine.images.remove(tag);
    await fails(engine.images.remove(images.base), "conflict");
    assert.ok(await engine.images.get(images.base));
    await engine.containers.remove(id);
  });
}

function pullTests(env: () => EngineEnv): void {
  test("what a registry does not have, does not give or does not answer", async () => {
    const { images, login } = env();
    await fails(pull(env(), images.missing), "not_found", /has no image/);
    await fails(pull(env(), images.unreachable), "remote_failed");
    await fails(pull(env(), images.broken), "remote_failed");
    await fails(pull(env(), images.locked), "remote_failed");
    await fails(pull(env(), images.locked, { ...login, password: "wrong" }), "remote_failed");
    assert.equal(await env().engine.images.get(images.locked), undefined);
  });

  test("a login opens a registry", async () => {
    const { engine, images, login } = env();
    await pull(env(), images.locked, login);
    assert.ok(await engine.images.get(images.locked));
    await engine.images.remove(images.locked);
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
    const steps = await pull(env(), images.slow);
    checkProgress(steps);
    assert.ok(steps.some(({ percent }) => percent > 0 && percent < 100), "progress in between is told");
    await engine.images.remove(images.slow);
  });

  test("a signal that is aborted already does nothing", async () => {
    const { engine, images } = env();
    const spec = containerSpec({ image: images.base });
    await fails(engine.images.pull(images.other, { signal: AbortSignal.abort() }), "cancelled");
    await fails(engine.containers.create(spec, AbortSignal.abort()), "cancelled");
    await fails(engine.containers.list(AbortSignal.abort()), "cancelled");
    assert.equal(await engine.containers.get(spec.name), undefined);
  });
}

function containerTests(env: () => EngineEnv): void {
  test("a container is created, found, started, started again and removed", async () => {
    const { engine, images } = env();
    const spec = containerSpec({ image: images.base });
    const id = await engine.containers.create(spec);
    const made = await engine.containers.get(id);
    const image = await engine.images.get(images.base);
    const wanted = { id, name: spec.name, state: "stopped", image: images.base, imageId: image?.id, mark: spec.mark, ports: [], pid: 0 };
    assert.deepEqual(made, wanted);
    assert.deepEqual(await engine.containers.get(spec.name), wanted);
    await engine.containers.start(id);
    await engine.containers.start(id);
    const running = await found(engine, id);
    assert.equal(running.state, "running");
    assert.ok(running.pid > 0);
    assert.deepEqual((await engine.containers.list()).find((container) => container.id === id), running);
    await engine.attachNetwork(running);
    await engine.containers.remove(id);
    assert.equal(await engine.containers.get(id), undefined);
    await engine.containers.remove(id);
  });

  test("a name is given once, also to many who ask at once", async () => {
    const { engine, images } = env();
    const name = uniqueName();
    const all = await Promise.allSettled([1, 2, 3, 4].map(() => engine.containers.create(containerSpec({ image: images.base, name }))));
    const refused = all.filter((result) => result.status === "rejected");
    assert.equal(refused.length, 3);
    for (const { reason } of refused) assert.ok(hasCode(reason, "conflict") && reason.message.includes(name), String(reason));
    await engine.containers.remove(name);
  });

  test("what is not there", async () => {
    const { engine } = env();
    await fails(engine.containers.create(containerSpec({ image: "gantry-absent:1" })), "not_found", /gantry-absent:1/);
    await fails(engine.containers.start(uniqueName()), "not_found");
    assert.equal(await engine.containers.get(uniqueName()), undefined);
    assert.equal(await engine.images.get("gantry-absent:1"), undefined);
  });

  test("a port is taken by the one that started first", async () => {
    const { engine, images, freePort } = env();
    const ports = [{ host: await freePort(), container: 80, protocol: "tcp" as const }];
    const first = await engine.containers.create(containerSpec({ image: images.base, ports }));
    const second = await engine.containers.create(containerSpec({ image: images.base, ports }));
    await engine.containers.start(first);
    assert.deepEqual((await found(engine, first)).ports, ports);
    await fails(engine.containers.start(second), "conflict", new RegExp(String(ports[0]?.host)));
    assert.equal((await found(engine, second)).state, "stopped");
    await engine.containers.remove(first);
    await engine.containers.start(second);
    await engine.containers.remove(second);
  });

  test("many removals of one container at once", async () => {
    const { engine, images } = env();
    const id = await engine.containers.create(containerSpec({ image: images.base }));
    await engine.containers.start(id);
    await Promise.all([1, 2, 3, 4].map(() => engine.containers.remove(id)));
    assert.equal(await engine.containers.get(id), undefined);
  });
}

function eventTests(env: () => EngineEnv): void {
  test("events tell of everything after the call, in order, until the signal", async () => {
    const { engine, images } = env();
    const abort = new AbortController();
    const events = engine.events(abort.signal);
    // Made before anybody reads: a subscriber that lists in the meantime misses nothing.
    const id = await engine.containers.create(containerSpec({ image: images.base }));
    const seen = collect(events, (event) => {
      if (event.id === id && event.action === "destroy") abort.abort();
    });
    await engine.containers.start(id);
    await engine.containers.remove(id);
    const actions = (await seen).filter((event) => event.resource === "container" && event.id === id).map(({ action }) => action);
    assert.deepEqual(actions.filter((action) => action !== "kill"), ["create", "start", "die", "destroy"]);
  });

  test("events of images", async () => {
    const { engine, images } = env();
    const abort = new AbortController();
    const seen = collect(engine.events(abort.signal), (event) => {
      if (event.resource === "image" && event.action === "delete") abort.abort();
    });
    await pull(env(), images.other);
    await engine.images.remove(images.other);
    assert.ok((await seen).some((event) => event.resource === "image" && event.action === "pull"));
  });
}

function crashTests(env: () => EngineEnv): void {
  test("a dead engine is unavailable, and serves again after its restart", async () => {
    const { engine, images, crash, restart } = env();
    const id = await engine.containers.create(containerSpec({ image: images.base }));
    await engine.containers.start(id);
    const before = await found(engine, id);
    const begun = Promise.withResolvers<void>();
    const pulling = engine.images.pull(images.slow, { onProgress: () => begun.resolve(), signal: new AbortController().signal });
    const pullFails = fails(pulling, "engine_unavailable");
    const eventsFail = fails(collect(engine.events(new AbortController().signal)), "engine_unavailable");
    await begun.promise;
    await crash();
    try {
      await Promise.all([pullFails, eventsFail]);
      await fails(engine.info(), "engine_unavailable");
      await fails(engine.containers.list(), "engine_unavailable");
      await fails(engine.containers.create(containerSpec({ image: images.base })), "engine_unavailable");
      await fails(collect(engine.events(new AbortController().signal)), "engine_unavailable");
    } finally {
      await restart();
    }
    assert.deepEqual(await engine.containers.get(id), before);
    assert.equal(await engine.images.get(images.slow), undefined);
    const next = await engine.containers.create(containerSpec({ image: images.base }));
    await engine.containers.start(next);
    await engine.containers.remove(next);
    await engine.containers.remove(id);
  });
}

async function pull({ engine }: EngineEnv, reference: string, login?: RegistryLogin): Promise<PullProgress[]> {
  const steps: PullProgress[] = [];
  const onProgress = (progress: PullProgress): void => void steps.push(progress);
  await engine.images.pull(reference, { onProgress, signal: new AbortController().signal, ...(login && { login }) });
  return steps;
}

function checkProgress(steps: PullProgress[]): void {
  const percents = steps.map(({ percent }) => percent);
  assert.deepEqual(percents, percents.toSorted((a, b) => a - b), "progress never goes back");
  assert.equal(percents.at(-1), 100);
  for (const { percent, text } of steps) assert.equal(text, percent < 0 ? "Download image" : `Download image:${percent}%`);
}

async function found(engine: Engine, id: string): Promise<Container> {
  const container = await engine.containers.get(id);
  assert.ok(container, `container ${id} is there`);
  return container;
}

async function collect(events: AsyncIterable<EngineEvent>, look?: (event: EngineEvent) => void): Promise<EngineEvent[]> {
  const seen: EngineEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    look?.(event);
  }
  return seen;
}

/** Also: the sentence ends, and shows no object. */
export async function fails(call: Promise<unknown>, code: ErrorCode, message: RegExp = /./): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(hasCode(error, code), `${code} expected, but: ${String(error)}`);
    assert.match(error.message, message);
    assert.match(error.message, /^[^{}]*\.$/);
    return true;
  });
}

export async function removeOwn(engine: Engine): Promise<void> {
  const all = await engine.containers.list();
  for (const { id, mark } of all) if (mark?.station === testStation) await engine.containers.remove(id);
}
