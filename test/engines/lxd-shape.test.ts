import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import type { Container } from "../../src/engines/engine.ts";
import type { Shape } from "../../src/engines/shape.ts";
import { killLxd, runLxd } from "../support/lxd.ts";
import { runInside } from "./commands.ts";
import { found } from "./engine-checks.ts";
import { image, lxdBench } from "./lxd-bench.ts";
import { containerSpec } from "./container-spec.ts";
import { holds, inside, page, picture, refused, started } from "./shape-checks.ts";
import { shapeTests } from "./system-shape.ts";

/** Changes of a container as it is: what LXC does too (`system-shape.ts`), and what only LXD's driver can get wrong. */
const bench = lxdBench();
const { engine, http, launch } = bench;
const mebibyte = 1 << 20;
const foreign = "203.0.113.90";

shapeTests(bench, {
  foreign,
  route: new RegExp(`^${foreign} dev lxdbr0`),
  async spoil({ id }, moment) {
    if (moment === "stopped") return;
    // As an image does that sets them at its start.
    const other = `hostname other; echo >/etc/resolv.conf; ip addr del ${foreign}/32 dev eth0`;
    await inside(engine(), id, "sh", "-c", other);
  },
  async record({ id }) {
    const instance = await http().get<{ devices: object }>(`/1.0/instances/${id}`);
    return { config: configOf(instance), devices: instance.devices };
  },
  wrong: [],
});

test("what somebody else sets stays, and the host's name in /etc/hosts is changed alone", async () => {
  const container = await launch({ hostname: "old.name" });
  const hosts = `127.0.0.1 localhost\n127.0.1.1\t${container.name} alias\n192.0.2.1 ${container.name}\n`;
  await inside(engine(), container.id, "sh", "-c", `printf '${hosts.replaceAll("\n", "\\n")}' >/etc/hosts`);
  const patch = (body: object): Promise<unknown> =>
    http().send({ method: "PATCH", path: `/1.0/instances/${container.id}`, body });
  await Promise.all([
    engine().containers.reshape(container.id, { hostname: "new", memory: 64 * mebibyte }),
    patch({ config: { "user.other": "kept" } }),
  ]);
  const now = await runInside(container.pid, "/bin/cat", "/etc/hosts");
  assert.equal(`${now}\n`, hosts.replace(`\t${container.name}`, "\tnew"));
  const { config } = await http().get<{ config: Record<string, string> }>(`/1.0/instances/${container.id}`);
  assert.equal(config["user.other"], "kept");
  assert.equal((await engine().containers.settings(container.id)).hostname, "new");
  await engine().containers.remove(container.id);
});

test("a link in the place of a file leads nowhere", async () => {
  const container = await launch();
  const link = "echo kept >/kept; ln -sf /kept /etc/resolv.conf; ln -sf /kept /etc/hostname; ln -sf /kept /etc/hosts";
  await inside(engine(), container.id, "sh", "-c", link);
  await engine().containers.reshape(container.id, { hostname: "linked", nameServers: ["192.0.2.53"] });
  assert.equal(await runInside(container.pid, "/bin/cat", "/kept"), "kept");
  assert.equal(await runInside(container.pid, "/bin/cat", "/etc/resolv.conf"), "nameserver 192.0.2.53");
  assert.equal(await runInside(container.pid, "/bin/cat", "/etc/hostname"), "linked");
  await engine().containers.remove(container.id);
});

test("one that is full to its size grows, and a size below what is used is refused", async () => {
  const container = await launch({ limits: { size: 48 * mebibyte } });
  const { id, pid } = container;
  const fill = "dd if=/dev/urandom of=/fill bs=1M count=80 2>/dev/null; sync; true";
  await inside(engine(), id, "sh", "-c", fill);
  const before = await picture(engine(), id);
  await refused(engine(), id, { size: 24 * mebibyte, hostname: "refused" }, "size");
  assert.deepEqual(await picture(engine(), id), before);
  await engine().containers.reshape(id, { size: 160 * mebibyte });
  assert.equal(await holds(engine(), id, 64), true);
  assert.equal((await found(engine(), id)).pid, pid);
  await engine().containers.remove(id);
});

test("a size that a root does not fit into is refused when it would move, and it is as it was", async () => {
  const container = await launch();
  await inside(engine(), container.id, "dd", "if=/dev/urandom", "of=/kept", "bs=1M", "count=30");
  await refused(engine(), container.id, { size: 16 * mebibyte }, "size");
  assert.equal((await found(engine(), container.id)).pid, container.pid);
  await engine().containers.kill(container.id);
  const before = await http().get<object>(`/1.0/instances/${container.id}`);
  await assert.rejects(engine().containers.reshape(container.id, { size: 16 * mebibyte }), { code: "conflict" });
  const after = await http().get<{ devices: Record<string, { pool?: string }> }>(`/1.0/instances/${container.id}`);
  assert.equal(after.devices["root"]?.pool, "default");
  assert.deepEqual(configOf(after), configOf(before));
  assert.equal((await engine().containers.shape(container.id)).size, undefined);
  await engine().containers.remove(container.id);
});

test("one that stands still is changed all the same", async () => {
  const { id, pid } = await launch();
  await engine().containers.pause(id);
  const change = { hostname: "still", memory: 64 * mebibyte, addresses: ["10.99.0.194"], nameServers: ["192.0.2.53"] };
  await engine().containers.reshape(id, change);
  assert.equal((await found(engine(), id)).paused, true);
  await engine().containers.unpause(id);
  await page("10.99.0.194");
  assert.equal(await runInside(pid, "/bin/hostname"), "still");
  assert.equal(await runInside(pid, "/bin/cat", "/etc/resolv.conf"), "nameserver 192.0.2.53");
  await engine().containers.remove(id);
});

test("an address of a network that is not LXD's own is not changed", async () => {
  const address = { by: "static", address: "10.99.0.78/24" } as const;
  const id = await engine().containers.create(
    containerSpec({ image, network: { mode: "bridge", interface: "lxdbr0", join: true, address } }),
  );
  await refused(engine(), id, { addresses: ["10.99.0.79"] }, "addresses");
  await engine().containers.remove(id);
});

test("LXD killed anywhere in a change that moves the root: called again it ends as if called once", async () => {
  let cut = 0;
  // Not at the end: LXD itself does not survive the moment in which it gives a container another name.
  for (const wait of [100, 400]) {
    const container = await launch();
    await inside(engine(), container.id, "sh", "-c", "echo kept >/kept; ln /kept /linked; sync");
    const change: Shape = {
      size: 64 * mebibyte,
      hostname: "moved",
      addresses: ["10.99.0.193"],
      nameServers: ["192.0.2.5"],
    };
    const ended = engine()
      .containers.reshape(container.id, change)
      .then(
        () => true,
        () => false,
      );
    await delay(wait);
    await killLxd();
    await runLxd();
    if (!(await ended)) cut++;
    assert.ok(
      (await engine().containers.list()).some(({ id }) => id === container.id),
      `it is listed, ${wait} ms`,
    );
    await engine().containers.reshape(container.id, change);
    await checkMoved(container, change);
    const all = await http().get<string[]>("/1.0/instances");
    assert.deepEqual(
      all.filter((path) => path.includes("gantry-move")),
      [],
    );
    await engine().containers.remove(container.id);
  }
  assert.ok(cut > 0, `only ${cut} were cut`);
});

test("a copy whose first one is gone is the container, and any other is none", async () => {
  const container = await launch();
  await engine().containers.kill(container.id);
  const path = `/1.0/instances/${container.id}`;
  const copy = `${container.id}-copy`;
  const ofIt = async (): Promise<string[]> =>
    (await http().get<string[]>("/1.0/instances")).filter((one) => one.startsWith(path));
  await http().send({ method: "PATCH", path, body: { config: { "user.gantry.moving": container.id } } });
  const source = { type: "copy", source: container.id };
  await done(
    await http().send({ method: "POST", path: "/1.0/instances", body: { name: copy, profiles: ["default"], source } }),
  );
  assert.equal(await engine().containers.getByName(copy), undefined);
  assert.ok(!(await engine().containers.list()).some(({ id }) => id === copy));
  assert.deepEqual(await ofIt(), [path]);
  await done(await http().send({ method: "POST", path, body: { name: copy } }));
  assert.ok((await engine().containers.list()).some(({ id }) => id === container.id));
  assert.deepEqual(await ofIt(), [path]);
  // Of one that is leaving, files may be gone already though LXD has it still.
  await done(
    await http().send({ method: "POST", path: "/1.0/instances", body: { name: copy, profiles: ["default"], source } }),
  );
  const marked = (name: string, config: Record<string, string>) =>
    http().send({ method: "PATCH", path: `/1.0/instances/${name}`, body: { config } });
  await marked(copy, { "user.test": "copy" });
  await marked(container.id, { "user.gantry.leaving": "true" });
  assert.ok((await engine().containers.list()).some(({ id }) => id === container.id));
  assert.deepEqual(await ofIt(), [path]);
  assert.equal((await http().get<{ config: Record<string, string> }>(path)).config["user.test"], "copy");
  await engine().containers.reshape(container.id, {});
  const { config } = await http().get<{ config: Record<string, string> }>(path);
  assert.equal(config["user.gantry.moving"], undefined);
  await engine().containers.remove(container.id);
});

async function done({ operation }: { operation: string }): Promise<void> {
  const { err } = await http().get<{ err: string }>(`${operation}/wait?timeout=20`);
  assert.equal(err, "");
}

async function checkMoved({ id, name, incarnation }: Container, change: Shape): Promise<void> {
  const now = await found(engine(), id);
  assert.deepEqual(
    { name: now.name, state: now.state, incarnation: now.incarnation },
    { name, state: "running", incarnation },
  );
  await started(engine(), id);
  assert.equal(await runInside(now.pid, "/bin/sh", "-c", "cat /linked; stat -c %h /kept"), "kept\n2");
  assert.equal(await runInside(now.pid, "/bin/hostname"), "moved");
  assert.equal(await runInside(now.pid, "/bin/cat", "/etc/resolv.conf"), "nameserver 192.0.2.5");
  await page("10.99.0.193");
  assert.deepEqual(await engine().containers.shape(id), { ...change, addresses: ["10.99.0.193/24"] });
  assert.equal(await holds(engine(), id, 80), false);
}

function configOf(instance: object): Record<string, string> {
  const { config } = instance as { config: Record<string, string> };
  return Object.fromEntries(Object.entries(config).filter(([key]) => !key.startsWith("volatile.")));
}
