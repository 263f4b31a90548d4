import assert from "node:assert/strict";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { run, runInside } from "./commands.ts";
import { testStation, uniqueName } from "./container-spec.ts";
import { freePort } from "../support/free-port.ts";
import { found } from "./engine-checks.ts";
import { lxcBench } from "./lxc-bench.ts";

/** What LXC itself makes of changes to a container. */
const { engine, lxc, launch } = lxcBench();
const home = (name: string) => join(lxc().path, name);
const config = (name: string) => readFileSync(join(home(name), "config"), "utf8");

test("a renamed container has its address, its files and its settings, and starts", async () => {
  const { containers } = engine();
  const ports = [{ host: await freePort(), container: 80, protocol: "tcp" as const }];
  const before = await launch({ ports, limits: { memory: 128 << 20 } });
  await runInside(before.pid, "sh", "-c", "echo kept >/kept");
  await containers.kill(before.id);
  const to = uniqueName();
  assert.equal(await containers.rename(before.name, to), to);
  assert.equal(existsSync(home(before.name)), false);
  assert.ok(!config(to).includes(`${home(before.name)}/`));
  await containers.start(to);
  const after = await found(engine(), to);
  assert.deepEqual(
    [after.incarnation, after.mark, after.ports, after.forward],
    [before.incarnation, before.mark, before.ports, before.forward],
  );
  assert.equal(await runInside(after.pid, "cat", "/kept"), "kept");
  assert.equal((await containers.settings(to)).limits.memory, 128 << 20);
  assert.ok((await run("lxc-ls", "-P", lxc().path, "-1", "--running")).split("\n").includes(to));
  await containers.remove(to);
});

test("a rename that was cut off after the folder is finished by the next start of the station", async () => {
  const { containers } = engine();
  const before = await launch();
  await containers.kill(before.id);
  const to = uniqueName();
  renameSync(home(before.name), home(to));
  await engine().recover(testStation);
  assert.ok(!config(to).includes(`${home(before.name)}/`));
  await containers.start(to);
  assert.equal((await found(engine(), to)).state, "running");
  await containers.remove(to);
});

test("autostart is what LXC's own autostart goes by, also when it was set before", async () => {
  const { containers } = engine();
  const { id, name } = await launch({ autostart: true });
  // It names what it would start.
  await containers.kill(id);
  const listed = async () => (await run("lxc-autostart", "-P", lxc().path, "-L", "-g", "onboot")).includes(name);
  const others = (text: string) => text.split("\n").filter((line) => !/^lxc\.(start\.auto|group) /.test(line));
  const before = config(name);
  assert.equal(await listed(), true);
  await containers.setAutostart(id, false);
  assert.equal(await listed(), false);
  assert.deepEqual(others(config(name)), others(before));
  await containers.setAutostart(id, true);
  await containers.setAutostart(id, true);
  assert.equal(await listed(), true);
  assert.equal(config(name).match(/lxc\.group/g)?.length, 1);
  await containers.remove(id);
});

test("it is asked to end by its own signal, and killed when it does not", async () => {
  const { containers } = engine();
  const { id, name } = await launch();
  let begun = performance.now();
  await containers.stop(id, { grace: 60 });
  assert.ok(performance.now() - begun < 30_000, "it ended by itself");
  // Its first process stands still without LXC's knowledge: no signal that can be waited for reaches it.
  await containers.start(id);
  const { pid } = await found(engine(), name);
  process.kill(pid, "SIGSTOP");
  begun = performance.now();
  await containers.stop(id, { grace: 1 });
  assert.ok(performance.now() - begun >= 1_000, "it was given its second");
  assert.equal((await found(engine(), name)).state, "stopped");
  await containers.remove(id);
});
