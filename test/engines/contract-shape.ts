import assert from "node:assert/strict";
import { test } from "node:test";

import type { Shape } from "../../src/engines/shape.ts";
import { AppError } from "../../src/errors.ts";
import { containerSpec, uniqueName } from "./container-spec.ts";
import type { EngineEnv } from "./engine-env.ts";
import { fails, found } from "./engine-checks.ts";
import { fileInside } from "./kernel.ts";
import {
  addresses,
  amongNeighbours,
  bridgeAddress,
  checkLimits,
  free,
  holds,
  inside,
  nameServers,
  picture,
  plainAddress,
  reached,
  refused,
  resized,
  restarted,
  started,
  lender,
  type WithContainer,
  foreignTo,
} from "./shape-checks.ts";

const mebibyte = 1 << 20;

/** Changes of a container as it is: seen from inside, by the kernel, and from this host; and again after a restart. */
export function shapeTests(env: () => EngineEnv): void {
  const withContainer = lender(env);
  limitTests(withContainer);
  nameTests(withContainer);
  sizeTests(env, withContainer);
  addressTests(env, withContainer);

  test("what is not there has no shape", async () => {
    const { containers } = env().engine;
    const name = uniqueName();
    await fails(containers.shape(name), "not_found", new RegExp(name));
    await fails(containers.planReshape(name, { hostname: "a" }), "not_found");
    await fails(containers.reshape(name, { hostname: "a" }), "not_found");
  });

  test("one that is stopped is changed all at once, and is so when it starts", () =>
    withContainer({}, async (engine, id) => {
      const change: Shape = {
        hostname: "all-at-once",
        cpuTime: 750,
        memory: 96 * mebibyte,
        size: 80 * mebibyte,
        addresses: [foreignTo(engine)[0]],
        nameServers: ["192.0.2.53"],
      };
      await engine.containers.kill(id);
      assert.deepEqual(await engine.containers.planReshape(id, change), { restarts: false });
      await engine.containers.reshape(id, change);
      await engine.containers.reshape(id, change);
      assert.equal((await found(engine, id)).state, "stopped");
      await started(engine, id);
      assert.equal(await inside(engine, id, "hostname"), "all-at-once");
      await checkLimits(engine, id, change);
      assert.deepEqual(await nameServers(engine, id), change.nameServers);
      await reached(engine, id, foreignTo(engine)[0]);
      const shape = await engine.containers.shape(id);
      assert.deepEqual({ ...shape, addresses: shape.addresses?.map(plainAddress) }, change);
    }));
}

function limitTests(withContainer: WithContainer): void {
  test("its processor time and memory are changed while it runs, and stay so", () =>
    withContainer({ limits: { cpuTime: 300, memory: 64 * mebibyte } }, async (engine, id) => {
      const { pid } = await found(engine, id);
      for (const change of [
        { cpuTime: 600 },
        { memory: 128 * mebibyte },
        { cpuTime: 200, memory: 48 * mebibyte },
      ] satisfies Shape[]) {
        assert.deepEqual(await engine.containers.planReshape(id, change), { restarts: false });
        await engine.containers.reshape(id, change);
        await checkLimits(engine, id, change);
      }
      assert.equal((await found(engine, id)).pid, pid);
      await restarted(engine, id);
      await checkLimits(engine, id, { cpuTime: 200, memory: 48 * mebibyte });
      const { cpuTime, memory } = await engine.containers.shape(id);
      assert.deepEqual({ cpuTime, memory }, { cpuTime: 200, memory: 48 * mebibyte });
    }));

  test("memory below what is in use is refused, and nothing is changed", () =>
    withContainer({ limits: { memory: 128 * mebibyte } }, async (engine, id) => {
      // Files in memory cannot be given back.
      const fill = "mkdir /memory && mount -t tmpfs tmpfs /memory && dd if=/dev/zero of=/memory/used bs=1M count=48";
      await inside(engine, id, "sh", "-c", fill);
      const before = await picture(engine, id);
      await refused(engine, id, { memory: 16 * mebibyte, hostname: "refused", cpuTime: 100 }, "memory");
      assert.deepEqual(await picture(engine, id), before);
    }));
}

function nameTests(withContainer: WithContainer): void {
  test("its host name is changed while it runs, and stays so", () =>
    withContainer({ hostname: "before" }, async (engine, id) => {
      const { pid } = await found(engine, id);
      assert.equal((await engine.containers.shape(id)).hostname, "before");
      await engine.containers.reshape(id, { hostname: "after.example" });
      assert.equal(await inside(engine, id, "hostname"), "after.example");
      assert.equal(fileInside((await found(engine, id)).pid, "/etc/hostname"), "after.example\n");
      assert.equal((await found(engine, id)).pid, pid);
      await restarted(engine, id);
      assert.equal(await inside(engine, id, "hostname"), "after.example");
      assert.equal((await engine.containers.shape(id)).hostname, "after.example");
    }));

  test("its name servers are changed while it runs, and stay so", () =>
    withContainer({}, async (engine, id) => {
      for (const change of [{ nameServers: ["192.0.2.1"] }, { nameServers: ["192.0.2.2", "192.0.2.3"] }]) {
        await engine.containers.reshape(id, change);
        assert.deepEqual(await nameServers(engine, id), change.nameServers);
      }
      await restarted(engine, id);
      assert.deepEqual(await nameServers(engine, id), ["192.0.2.2", "192.0.2.3"]);
      assert.deepEqual((await engine.containers.shape(id)).nameServers, ["192.0.2.2", "192.0.2.3"]);
    }));
}

function sizeTests(env: () => EngineEnv, withContainer: WithContainer): void {
  test("its size is held, grows, shrinks to what is used and not below", () =>
    withContainer({ limits: { size: 64 * mebibyte } }, async (engine, id) => {
      assert.equal((await engine.containers.shape(id)).size, 64 * mebibyte);
      assert.equal(await holds(engine, id, 80), false, "64 MiB do not hold 80");
      await resized(engine, id, 128);
      assert.equal(await holds(engine, id, 80), true, "128 MiB hold 80");
      await inside(engine, id, "dd", "if=/dev/urandom", "of=/kept", "bs=1M", "count=40");
      const kept = await inside(engine, id, "md5sum", "/kept");
      await resized(engine, id, 96);
      assert.equal(await inside(engine, id, "md5sum", "/kept"), kept);
      assert.equal(await holds(engine, id, 80), false, "96 MiB do not hold 120");
      const before = await picture(engine, id);
      await refused(engine, id, { size: 32 * mebibyte, hostname: "refused" }, "size");
      assert.deepEqual(await picture(engine, id), before);
      await restarted(engine, id);
      assert.equal(await holds(engine, id, 80), false, "nor after a restart");
    }));

  test("one that was made without a size gets one", () =>
    withContainer({}, async (engine, id) => {
      assert.equal((await engine.containers.shape(id)).size, undefined);
      await inside(engine, id, "sh", "-c", "echo kept >/kept; ln /kept /linked; chmod 4711 /kept");
      await resized(engine, id, 64);
      assert.equal(await inside(engine, id, "sh", "-c", "cat /linked; stat -c '%a %h' /kept"), "kept\n4711 2");
      assert.equal(await holds(engine, id, 80), false, "64 MiB do not hold 80");
    }));

  test("a size that the image does not fit into is refused, and nothing is left", async () => {
    const { engine, images } = env();
    const spec = containerSpec({ image: images.base, limits: { size: 64 * 1024 } });
    const error = await engine.containers.create(spec).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    assert.ok(error instanceof AppError);
    assert.equal(await engine.containers.getByName(spec.name), undefined);
  });
}

function addressTests(env: () => EngineEnv, withContainer: WithContainer): void {
  test("it gets addresses of the bridge's network and of others, which this host reaches; and keeps them", () =>
    withContainer({}, async (engine, id) => {
      const foreign = foreignTo(engine);
      const near = await free(engine, id);
      const broadcast = new RegExp(`inet ${near}/24 brd ${near.replace(/\d+$/, "255")} `);
      await engine.containers.reshape(id, { addresses: [near, foreign[0], foreign[1]] });
      for (const address of [near, ...foreign]) await reached(engine, id, address);
      assert.deepEqual(await addresses(engine, id), [near, ...foreign].toSorted());
      assert.match(await inside(engine, id, "ip", "address", "show", "dev", "eth0"), broadcast);
      await restarted(engine, id);
      for (const address of [near, ...foreign]) await reached(engine, id, address);
      assert.deepEqual(await addresses(engine, id), [near, ...foreign].toSorted());
      assert.match(await inside(engine, id, "ip", "address", "show", "dev", "eth0"), broadcast);
      assert.deepEqual(
        (await engine.containers.shape(id)).addresses?.map(plainAddress).toSorted(),
        [near, ...foreign].toSorted(),
      );
      await engine.containers.reshape(id, { addresses: [foreign[1]] });
      await reached(engine, id, foreign[1]);
      assert.deepEqual(await addresses(engine, id), [foreign[1]]);
      await restarted(engine, id);
      await reached(engine, id, foreign[1]);
      assert.deepEqual(await addresses(engine, id), [foreign[1]]);
    }));

  test("an address that somebody has is refused, and nothing is changed", () =>
    withContainer({}, async (engine, id) => {
      const foreign = foreignTo(engine);
      const other = await engine.containers.create(containerSpec({ image: env().images.base }));
      try {
        await started(engine, other);
        const [near, gateway] = [await free(engine, other), await bridgeAddress(engine, other)];
        await engine.containers.reshape(other, { addresses: [near, foreign[0]] });
        const before = await picture(engine, id);
        for (const address of [near, foreign[0], gateway]) {
          await refused(engine, id, { hostname: "refused", addresses: [foreign[1], address] }, "addresses");
        }
        assert.deepEqual(await picture(engine, id), before);
        // Its own it may be given again.
        await engine.containers.reshape(other, { addresses: [foreign[0], near] });
      } finally {
        await engine.containers.remove(other);
      }
      // What nobody has any more.
      await engine.containers.reshape(id, { addresses: [foreign[0]] });
      await reached(engine, id, foreign[0]);
    }));

  test("what another engine's network has, and who is beside this host, keep their addresses", () =>
    withContainer({}, async (engine, id) => {
      const near = await free(engine, id);
      const other = await engine.containers.create(containerSpec({ image: env().images.base }));
      try {
        await started(engine, other);
        await addresses(engine, other);
        await inside(engine, other, "ip", "address", "add", `${near}/24`, "dev", "eth0");
        const before = await picture(engine, id);
        await amongNeighbours(async (theirs, nobodys) => {
          for (const address of [...theirs, near]) await refused(engine, id, { addresses: [address] }, "addresses");
          assert.deepEqual(await picture(engine, id), before);
          await engine.containers.reshape(id, { addresses: [nobodys] });
          await reached(engine, id, nobodys);
        });
      } finally {
        await engine.containers.remove(other);
      }
    }));
}
