import assert from "node:assert/strict";
import { isIPv4 } from "node:net";
import { test } from "node:test";

import { containerSpec, uniqueName } from "./container-spec.ts";
import type { Abilities, EngineEnv } from "./engine-env.ts";
import { collect, fails, found, pull } from "./engine-checks.ts";

export function containerTests(env: () => EngineEnv, can: Abilities): void {
  test("a container is created, found, started, started again and removed", async () => {
    const { engine, images } = env();
    const spec = containerSpec({ image: images.base });
    const id = await engine.containers.create(spec);
    const { macs, addresses, ...made } = await found(engine, id);
    assert.ok((macs ?? []).every((mac) => /^[0-9a-f:]{17}$/.test(mac)) && (addresses ?? []).every(isIPv4));
    const image = await engine.images.get(images.base);
    assert.ok(made.incarnation);
    const wanted = {
      id,
      incarnation: made.incarnation,
      name: spec.name,
      state: "stopped",
      image: images.base,
      imageId: image?.id,
      mark: spec.mark,
      ports: [],
      pid: 0,
      mounts: [],
    };
    assert.deepEqual(made, wanted);
    assert.deepEqual(await engine.containers.getByName(spec.name), await found(engine, id));
    await engine.containers.start(id);
    await engine.containers.start(id);
    const running = await found(engine, id);
    assert.equal(running.state, "running");
    assert.ok(running.pid > 0);
    assert.deepEqual(
      (await engine.containers.list()).find((container) => container.id === id),
      running,
    );
    await engine.attachNetwork(running);
    await engine.containers.kill(id);
    await engine.containers.kill(id);
    const { macs: _macs, addresses: _addresses, ...ended } = await found(engine, id);
    assert.deepEqual(ended, { ...wanted, ended: true });
    await engine.containers.remove(id);
    assert.equal(await engine.containers.getById(id), undefined);
    await engine.containers.remove(id);
  });

  test("what is not there", async () => {
    const { engine } = env();
    await fails(engine.containers.create(containerSpec({ image: "gantry-absent:1" })), "not_found", /gantry-absent:1/);
    await fails(engine.containers.start(uniqueName()), "not_found");
    assert.equal(await engine.containers.getByName(uniqueName()), undefined);
    assert.equal(await engine.images.get("gantry-absent:1"), undefined);
  });

  if (can.publishedPorts) {
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
  }

  test("ports are kept with the container", async () => {
    const { engine, images, freePort } = env();
    const ports = [
      { host: await freePort(), container: 80, protocol: "tcp" as const },
      { host: await freePort(), container: 53, protocol: "udp" as const },
    ];
    const id = await engine.containers.create(containerSpec({ image: images.base, ports }));
    const kept = async () => (await found(engine, id)).ports.toSorted((a, b) => b.container - a.container);
    assert.deepEqual(await kept(), ports);
    await engine.containers.start(id);
    assert.deepEqual(await kept(), ports);
    await engine.containers.remove(id);
  });

  test("many removals of one container at once", async () => {
    const { engine, images } = env();
    const id = await engine.containers.create(containerSpec({ image: images.base }));
    await engine.containers.start(id);
    await Promise.all([1, 2, 3, 4].map(() => engine.containers.remove(id)));
    assert.equal(await engine.containers.getById(id), undefined);
  });
}

export function eventTests(env: () => EngineEnv): void {
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
    const actions = (await seen)
      .filter((event) => event.resource === "container" && event.id === id)
      .map(({ action }) => action);
    assert.deepEqual(
      actions.filter((action) => action !== "kill"),
      ["create", "start", "die", "destroy"],
    );
  });

  test("events of images", async () => {
    const { engine, images } = env();
    const abort = new AbortController();
    const seen = collect(engine.events(abort.signal), (event) => {
      if (event.resource === "image" && event.action === "delete") abort.abort();
    });
    await pull(env().engine, images.other);
    await engine.images.remove(images.other);
    assert.ok((await seen).some((event) => event.resource === "image" && event.action === "pull"));
  });
}

export function crashTests(env: () => EngineEnv): void {
  test("a dead engine is unavailable, and serves again after its restart", async () => {
    const { engine, images, ownPulls, crash, restart } = env();
    const id = await engine.containers.create(containerSpec({ image: images.base }));
    await engine.containers.start(id);
    const before = await found(engine, id);
    const begun = Promise.withResolvers<void>();
    const pulling = engine.images.pull(images.slow, {
      onProgress: () => begun.resolve(),
      signal: new AbortController().signal,
    });
    const pullEnds = ownPulls ? pulling : fails(pulling, "engine_unavailable");
    const eventsFail = fails(collect(engine.events(new AbortController().signal)), "engine_unavailable");
    await begun.promise;
    await crash();
    try {
      await Promise.all([pullEnds, eventsFail]);
      await fails(engine.info(), "engine_unavailable");
      await fails(engine.containers.list(), "engine_unavailable");
      await fails(engine.containers.create(containerSpec({ image: images.base })), "engine_unavailable");
      await fails(collect(engine.events(new AbortController().signal)), "engine_unavailable");
    } finally {
      await restart();
    }
    assert.deepEqual(await engine.containers.getById(id), before);
    if (!ownPulls) assert.equal(await engine.images.get(images.slow), undefined);
    const next = await engine.containers.create(containerSpec({ image: images.base }));
    await engine.containers.start(next);
    await engine.containers.remove(next);
    await engine.containers.remove(id);
  });
}
