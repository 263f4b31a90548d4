import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { until } from "../support/patiently.ts";
import { run } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import { fails } from "./engine-checks.ts";
import { image, leftovers, nothing } from "./lxc-bench.ts";
import { helpers, large, largeBench } from "./lxc-large.ts";
import { untilCaught } from "./moments.ts";

/** What is stopped or killed in its middle. */
const { engine, lxc, slow, killedWhile, making, recovered } = largeBench(50, {
  folder(path) {
    for (let file = 0; file < 40; file++) writeFileSync(join(path, `${file}`), "small\n");
  },
});

test("a create that is stopped at any moment leaves nothing when that is said", async () => {
  // How long one takes: as long as the quickest so far.
  let whole = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 2; round++) {
    const took = await timed(() => slow().containers.create(containerSpec({ image: large, name: "whole" })));
    whole = Math.min(whole, took);
    await slow().containers.remove("whole");
  }
  let stopped = 0;
  for (const part of [0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.95]) {
    const spec = containerSpec({ image: large, ports: [{ host: 8080, container: 80, protocol: "tcp" }] });
    const begun = performance.now();
    const creating = slow().containers.create(spec, AbortSignal.timeout(Math.round(whole * part)));
    const made = await creating.catch(() => undefined);
    if (made === undefined) {
      stopped++;
      await fails(creating, "cancelled");
      assert.deepEqual(leftovers(lxc()), nothing);
      assert.equal(await slow().containers.getByName(spec.name), undefined);
    } else {
      whole = Math.min(whole, performance.now() - begun);
      await slow().containers.remove(spec.name);
    }
  }
  assert.ok(stopped >= 5, `${stopped} were stopped in their middle`);
});

test("a create whose helpers are killed says so, leaves nothing, and can be tried again", async () => {
  // Of its decompressor's death tar sees only that the archive ends too early.
  for (const [helper, code] of [
    ["tar", "engine_unavailable"],
    ["zstd", "engine_failed"],
  ] as const) {
    const spec = containerSpec({ image: large });
    const creating = slow().containers.create(spec);
    const failing = fails(creating, code);
    await until(() => helpers().some(({ name }) => name === helper));
    for (const { pid, name } of helpers()) if (name === helper) process.kill(pid, "SIGKILL");
    await failing;
    assert.deepEqual(leftovers(lxc()), nothing);
    await slow().containers.create(spec);
    await slow().containers.remove(spec.name);
  }
});

test("what a killed station was making is cleared away at its next start, and nobody else's", async () => {
  const staging = join(lxc().path, ".gantry-staging");
  const others = [join(staging, "another-station.1.theirs"), join(lxc().path, "theirs")];
  for (const folder of others) mkdirSync(folder, { recursive: true });
  const spec = containerSpec({ image: large, ports: [{ host: 8080, container: 80, protocol: "tcp" }] });
  await untilCaught([0, 50, ...making(spec)], async (moment) => {
    await killedWhile({ verb: "create", spec }, moment);
    const isHalf = readdirSync(staging).length > 1;
    await recovered();
    if (!(await slow().containers.getByName(spec.name))) await slow().containers.create(spec);
    await slow().containers.start(spec.name);
    await slow().containers.remove(spec.name);
    assert.deepEqual(leftovers(lxc()), { ...nothing, folders: ["theirs", "another-station.1.theirs"] });
    return isHalf;
  });
  for (const folder of others) rmSync(folder, { recursive: true });
});

test("what a killed station was removing is gone after its next start", async () => {
  const spec = containerSpec({ image: large, ports: [{ host: 8080, container: 80, protocol: "tcp" }] });
  const isWithdrawn = () => !existsSync(join(lxc().path, spec.name));
  await untilCaught([0, 5, isWithdrawn], async (moment) => {
    await slow().containers.create(spec);
    await killedWhile({ verb: "remove", spec }, moment);
    const isHalf = leftovers(lxc(), [spec.name]).folders.length > 0;
    await recovered();
    assert.deepEqual(leftovers(lxc(), [spec.name]), nothing);
    await slow().containers.remove(spec.name);
    assert.deepEqual(leftovers(lxc()), nothing);
    return isHalf;
  });
});

test("what a killed station was starting starts, and stays up", async () => {
  for (const wait of [0, 5, 10, 15, 20, 30, 50]) {
    const spec = containerSpec({ image });
    await engine().containers.create(spec);
    await killedWhile({ verb: "start", spec }, wait);
    await recovered();
    await engine().containers.start(spec.name);
    const { pid } = (await engine().containers.getByName(spec.name)) ?? { pid: 0 };
    await delay(100);
    assert.equal((await engine().containers.getByName(spec.name))?.pid, pid);
    assert.ok(pid > 0);
    await engine().containers.remove(spec.name);
  }
});

test("a mount in what is deleted is taken away and not emptied", async () => {
  const { path } = lxc();
  const spec = containerSpec({ image: large });
  const kept = mkdtempSync(join(tmpdir(), "kept-"));
  writeFileSync(join(kept, "file"), "");
  await slow().containers.create(spec);
  await run("mount", "--bind", kept, join(path, spec.name, "rootfs/mnt"));
  await slow().containers.remove(spec.name);
  assert.deepEqual(leftovers(lxc()), nothing);
  assert.ok(existsSync(join(kept, "file")));
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
