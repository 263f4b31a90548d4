import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import type { EngineEvent } from "../../src/engines/engine.ts";
import { killStrayProcesses } from "../../src/engines/processes/stray-processes.ts";
import { lxcMonitor } from "../support/lxc-monitor.ts";
import { until } from "../support/patiently.ts";
import { promised } from "../support/promised.ts";
import { run } from "./commands.ts";
import { containerSpec, testStation } from "./container-spec.ts";
import { fails } from "./engine-checks.ts";
import { cgroupV2 } from "./kernel.ts";
import { image, leftovers, lxcBench, nothing } from "./lxc-bench.ts";

/** What others do to containers, and what dies by itself. */
const { engine, lxc, launch } = lxcBench();
const monitorOf = (name: string): Promise<number> => lxcMonitor(lxc().path, name);

test("a container whose first process or whose monitor is killed is told of, and starts again", async () => {
  const container = await launch();
  const told = listen();
  await engine().containers.list();
  for (const victim of ["init", "monitor"] as const) {
    const { pid } = (await engine().containers.getById(container.id)) ?? { pid: 0 };
    const begun = performance.now();
    process.kill(victim === "init" ? pid : await monitorOf(container.id), "SIGKILL");
    await until(() => told.count("die", container.id) > 0);
    assert.ok(performance.now() - begun < promised.oneSecond, "within a second or so");
    assert.equal((await engine().containers.getById(container.id))?.state, "stopped");
    told.clear();
    await engine().containers.start(container.id);
    assert.equal((await engine().containers.getById(container.id))?.state, "running");
    assert.equal(told.count("start", container.id), 1);
    told.clear();
  }
  await engine().containers.remove(container.id);
  told.stop();
});

test("a frozen container is stopped and removed, with its monitor and without", async () => {
  for (const alone of [false, true]) {
    const container = await launch();
    await freeze(container.pid);
    assert.equal((await engine().containers.getById(container.id))?.state, "running");
    if (alone) process.kill(await monitorOf(container.id), "SIGKILL");
    await engine().containers.kill(container.id);
    await until(() => !isAlive(container.pid));
    await engine().containers.start(container.id);
    await freeze((await engine().containers.getById(container.id))?.pid ?? 0);
    await engine().containers.remove(container.id);
    assert.deepEqual(leftovers(lxc()), nothing);
  }
});

test("a container whose monitor hangs is listed, stopped and removed", async () => {
  const { id, pid } = await launch();
  process.kill(await monitorOf(id), "SIGSTOP");
  assert.equal((await engine().containers.getById(id))?.pid, pid);
  await engine().containers.kill(id);
  assert.equal((await engine().containers.getById(id))?.state, "stopped");
  await engine().containers.remove(id);
  assert.deepEqual(leftovers(lxc()), nothing);
});

test("what is done behind the station's back is told of within a second or so", async () => {
  const { path } = lxc();
  const { id } = await launch();
  const told = listen();
  await engine().containers.list();
  await run("lxc-stop", "-P", path, "-k", "-n", id);
  await until(() => told.count("die", id) === 1);
  await run("lxc-start", "-P", path, "-d", "-n", id);
  await until(() => told.count("start", id) === 1);
  await run("lxc-destroy", "-P", path, "-f", "-n", id);
  await until(() => told.count("destroy", id) === 1);
  assert.equal(await engine().containers.getById(id), undefined);
  told.stop();
});

test("a container that no station has made is listed, started and removed", async () => {
  const id = await engine().containers.create(containerSpec({ image }));
  rmSync(join(lxc().path, id, "gantry.json"));
  const found = await engine().containers.getById(id);
  assert.ok(found);
  const { incarnation, macs, ...rest } = found;
  assert.match(incarnation, /^\d+-[\d.]+$/);
  assert.match((macs ?? []).join(), /^00:16:3e(?::[0-9a-f]{2}){3}$/);
  const empty = { image: "", imageId: "", ports: [], pid: 0, mounts: [], addresses: [] };
  assert.deepEqual(rest, { id, name: id, state: "stopped", ...empty });
  await engine().containers.start(id);
  assert.ok((await engine().containers.list()).some((container) => container.id === id && container.pid > 0));
  await engine().containers.remove(id);
  assert.deepEqual(leftovers(lxc()), nothing);
});

test("a container whose files lie elsewhere is removed by LXC itself, and what LXC leaves there is an error", async () => {
  const id = await engine().containers.create(containerSpec({ image, privileged: true }));
  const [home, elsewhere] = [join(lxc().path, id), mkdtempSync(join(tmpdir(), "elsewhere-"))];
  await run("mv", join(home, "rootfs"), elsewhere);
  const config = readFileSync(join(home, "config"), "utf8");
  writeFileSync(join(home, "config"), config.replaceAll(join(home, "rootfs"), join(elsewhere, "rootfs")));
  const program = realpathSync("/usr/bin/lxc-destroy");
  await run("mount", "--bind", "/bin/true", program);
  try {
    await fails(engine().containers.remove(id), "engine_failed", /^LXC did not remove container /);
  } finally {
    await run("umount", program);
  }
  await engine().containers.remove(id);
  assert.equal(await engine().containers.getById(id), undefined);
  assert.deepEqual(readdirSync(elsewhere), []);
});

test("what clears away a killed station's helpers leaves its containers running", async () => {
  const { id, pid } = await launch();
  assert.equal(await killStrayProcesses(testStation), 0);
  await engine().recover(testStation);
  const after = await engine().containers.getById(id);
  assert.deepEqual([after?.state, after?.pid], ["running", pid]);
  await engine().containers.remove(id);
});

test("many starts and stops at once, and one after the other", async () => {
  const { id } = await launch();
  for (let round = 0; round < 5; round++) {
    await Promise.all([engine().containers.kill(id), engine().containers.start(id), engine().containers.start(id)]);
    assert.equal((await engine().containers.getById(id))?.state, "running");
  }
  await Promise.all([1, 2, 3].map(() => engine().containers.kill(id)));
  assert.equal((await engine().containers.getById(id))?.state, "stopped");
  await Promise.all([
    engine().containers.start(id),
    engine()
      .containers.remove(id)
      .then(() => engine().containers.getById(id)),
  ]);
  assert.equal(await engine().containers.getById(id), undefined);
});

test("a stop takes no half second", async (t) => {
  const { id } = await launch();
  const begun = performance.now();
  await engine().containers.kill(id);
  t.diagnostic(`${Math.round(performance.now() - begun)} ms`);
  await engine().containers.remove(id);
});

/** As lxc-freeze does it, which waits for ever where a process was just being made. */
async function freeze(pid: number): Promise<void> {
  const group = new RegExp(cgroupV2 ? "^0::(.*)$" : "^\\d+:freezer:(.*)$", "m").exec(
    readFileSync(`/proc/${pid}/cgroup`, "utf8"),
  )?.[1];
  const folder = cgroupV2 ? `/sys/fs/cgroup${group}` : `/sys/fs/cgroup/freezer${group}`;
  await until(() => {
    writeFileSync(join(folder, cgroupV2 ? "cgroup.freeze" : "freezer.state"), cgroupV2 ? "1" : "FROZEN");
    return /^FROZEN|^frozen 1/m.test(readFileSync(join(folder, cgroupV2 ? "cgroup.events" : "freezer.state"), "utf8"));
  });
}

interface Told {
  count(action: string, id: string): number;
  clear(): void;
  stop(): void;
}

function listen(): Told {
  const abort = new AbortController();
  let seen: EngineEvent[] = [];
  const events = engine().events(abort.signal);
  const read = async (): Promise<void> => {
    for await (const event of events) seen.push(event);
  };
  void read();
  return {
    count: (action, id) => seen.filter((event) => event.action === action && event.id === id).length,
    clear: () => (seen = []),
    stop: () => abort.abort(),
  };
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
