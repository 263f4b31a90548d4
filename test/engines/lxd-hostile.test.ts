import assert from "node:assert/strict";
import { test } from "node:test";

import { run, runInside } from "./commands.ts";
import { fails } from "./engine-checks.ts";
import { lxdBench } from "./lxd-bench.ts";
import { inside, nameServers, picture, refusedWhole } from "./shape-checks.ts";

/** What a container's own root may put in the place of its files. */
const { engine, launch } = lxdBench();
const mebibyte = 1 << 20;

test("pipes, folders and huge files in the place of its own do not keep it from being changed, nor anybody waiting", async () => {
  const { id, pid } = await launch();
  const traps = ["mkfifo /etc/hosts /etc/resolv.conf", "mkdir -p /etc/hostname/full /etc/.gantry-new/full"];
  await inside(engine(), id, "sh", "-c", traps.join("; "));
  const began = performance.now();
  await engine().containers.reshape(id, { hostname: "changed", cpuTime: 500, nameServers: ["192.0.2.53"] });
  assert.ok(performance.now() - began < 25_000, `${performance.now() - began} ms`);
  assert.equal(await runInside(pid, "/bin/hostname"), "changed");
  assert.deepEqual(await nameServers(engine(), id), ["192.0.2.53"]);
  await inside(engine(), id, "sh", "-c", "rm /etc/hosts; dd if=/dev/zero of=/etc/hosts bs=1M count=3 2>/dev/null");
  await engine().containers.reshape(id, { hostname: "again" });
  assert.equal(await runInside(pid, "/bin/hostname"), "again");
  await inside(engine(), id, "sh", "-c", "rm /etc/resolv.conf; mkdir -p /etc/resolv.conf/full");
  await refusedWhole(engine(), id, { cpuTime: 300, nameServers: ["192.0.2.54"] }, "nameServers");
  await engine().containers.remove(id);
});

test("what its full disk does not take is refused, and nothing of it is done; with more room it is done", async () => {
  const { id, pid } = await launch({ limits: { size: 48 * mebibyte } });
  const fill = "dd if=/dev/urandom of=/fill bs=1M count=80; sync; for i in 1 2 3; do dd if=/dev/urandom of=/f$i; done";
  await inside(engine(), id, "sh", "-c", `(${fill}) 2>/dev/null; true`);
  const before = await picture(engine(), id);
  for (const change of [{ hostname: "refused" }, { nameServers: ["192.0.2.53"] }])
    await fails(engine().containers.reshape(id, { ...change, cpuTime: 500 }), "conflict", /file system is full/);
  assert.deepEqual(await picture(engine(), id), before);
  await engine().containers.reshape(id, { hostname: "roomy", size: 96 * mebibyte });
  assert.equal(await runInside(pid, "/bin/hostname"), "roomy");
  assert.equal(await run("sh", "-c", `ls -A /proc/${pid}/root/etc | grep -c gantry || true`), "0");
  await engine().containers.remove(id);
});

test("a pipe in one that stands still or is stopped holds neither the change nor what comes after", async () => {
  const { id } = await launch();
  await inside(engine(), id, "mkfifo", "/etc/hosts");
  await engine().containers.pause(id);
  await engine().containers.reshape(id, { hostname: "still" });
  await engine().containers.unpause(id);
  await engine().containers.kill(id);
  await engine().containers.reshape(id, { hostname: "stopped" });
  await engine().containers.start(id);
  assert.equal(await inside(engine(), id, "hostname"), "stopped");
  await engine().containers.remove(id);
});
