import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { findLxdSocket } from "../../src/engines/lxd/client/find-socket.ts";
import { killLxd, runLxd } from "../support/lxd.ts";
import { until } from "../support/patiently.ts";
import { containerSpec } from "./container-spec.ts";
import { collect, fails } from "./engine-checks.ts";
import { image, lxdBench } from "./lxd-bench.ts";
import { reach, untilCaught } from "./moments.ts";

const { engine, http, launch } = lxdBench();

test("what LXD had begun to create when it died is no container, and does not stand in the way", async () => {
  const spec = containerSpec({ image });
  const recorded = async () => (await http().find(`/1.0/instances/${spec.name}`)) !== undefined;
  await untilCaught([5, 45, recorded], async (moment) => {
    let over = false;
    const creating = engine()
      .containers.create(spec)
      .then(
        () => true,
        () => false,
      )
      .finally(() => (over = true));
    await reach(moment, () => over);
    await killLxd();
    const answered = await creating;
    await runLxd();
    const record = await http().find<{ config: Record<string, string> }>(`/1.0/instances/${spec.name}`);
    const found = await engine().containers.getByName(spec.name);
    if (answered) assert.ok(found, "what was answered is there");
    if (!found) assert.equal(await http().find(`/1.0/instances/${spec.name}`), undefined, "no record is left");
    if (!found) await engine().containers.create(spec);
    await engine().containers.start(spec.name);
    await engine().containers.remove(spec.name);
    return record !== undefined && !found;
  });
});

test("a create that is stopped while LXD works is over when that is said", async () => {
  for (const wait of [0, 5, 20, 40]) {
    const spec = containerSpec({ image });
    const creating = engine().containers.create(spec, AbortSignal.timeout(wait));
    const outcome = await creating.catch(() => undefined);
    const first = await engine().containers.getByName(spec.name);
    await delay(300);
    assert.deepEqual(await engine().containers.getByName(spec.name), first);
    if (outcome) assert.ok(first);
    await engine().containers.remove(spec.name);
  }
});

test("while a container is being made or started, it can be asked for and removed", async () => {
  const spec = containerSpec({ image });
  const creating = engine().containers.create(spec);
  await until(async () => (await engine().containers.getByName(spec.name)) !== undefined);
  await engine().containers.start(spec.name);
  await creating;
  const other = containerSpec({ image });
  await engine().containers.create(other);
  const starting = engine()
    .containers.start(other.name)
    .catch(() => undefined);
  await engine().containers.remove(other.name);
  await starting;
  await engine().containers.remove(other.name);
  assert.equal(await engine().containers.getByName(other.name), undefined);
  await engine().containers.remove(spec.name);
});

test("a container whose first process ends is told of, and is removed while it is frozen", async () => {
  const container = await launch();
  const abort = new AbortController();
  const events = collect(engine().events(abort.signal), ({ action, id }) => {
    if (action === "die" && id === container.id) abort.abort();
  });
  // The list waits for the events, so what comes after it is told.
  await engine().containers.list();
  process.kill(container.pid, "SIGKILL");
  await events;
  await until(async () => (await engine().containers.getById(container.id))?.state === "stopped");
  await engine().containers.start(container.id);
  await http().send({ method: "PUT", path: `/1.0/instances/${container.id}/state`, body: { action: "freeze" } });
  await delay(200);
  assert.equal((await engine().containers.getById(container.id))?.state, "running");
  await engine().containers.remove(container.id);
  assert.equal(await engine().containers.getById(container.id), undefined);
});

test("LXD is found where its socket is", async () => {
  const { socket } = http();
  assert.equal(await findLxdSocket(socket.replace("/unix.socket", "")), socket);
  assert.equal(await findLxdSocket(undefined, ["/absent/unix.socket", socket]), socket);
  assert.equal(await findLxdSocket("/absent"), undefined);
  assert.ok(existsSync(socket));
  await fails(engine().containers.start("absent"), "not_found");
});
