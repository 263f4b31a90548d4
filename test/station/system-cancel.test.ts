import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { leftovers } from "../support/leftovers.ts";
import { patiently } from "../support/patiently.ts";
import { promised } from "../support/promised.ts";
import { wasOver } from "../support/station-data.ts";
import { startSystemWorld, type SystemType, type SystemWorld } from "../support/system-station.ts";

let world: SystemWorld;
before(async () => {
  world = await startSystemWorld({ big: true });
});
after(() => world.close());

const big = {
  lxc: { type: "lxc", repository: "qnap", image: "ubuntu-big", tag: "latest" },
  lxd: { type: "lxd", repository: "lxd", image: "ubuntu", tag: "big" },
} as const;
const slow = {
  lxc: { type: "lxc", repository: "qnap", image: "test-slow", tag: "latest" },
  lxd: { type: "lxd", repository: "lxd", image: "test", tag: "slow" },
} as const;

const base = { lxc: 20_000, lxd: 21_000 };

/** Cancels, and checks what is promised: answered within 10 s with the id, hidden from the list. */
async function cancel(id: number): Promise<number> {
  const begun = performance.now();
  const answer = await world.station.client.send("DELETE", `/background/${id}`);
  const took = performance.now() - begun;
  assert.deepEqual(answer.body, [id], JSON.stringify(answer.body));
  assert.ok(took < promised.tenSeconds, `answered after ${took} ms`);
  // What LXD cannot stop is undone as soon as it lets go.
  for (const end = Date.now() + 30_000; await world.station.client.find(id);) {
    assert.ok(Date.now() < end, "still in the list");
    await sleep(50);
  }
  return took;
}

async function running(id: number): Promise<void> {
  for (;;) {
    const task = await world.station.client.find(id);
    if (task?.state === "running" && task.deletable) return;
    assert.ok(task && !task.end, `ended too soon: ${JSON.stringify(task)}`);
    await sleep(5);
  }
}

for (const type of ["lxc", "lxd"] as const) {
  test(`a pull for ${type} cancelled at 5 moments: no image`, async (context) => {
    for (const moment of [0, 100, 300, 700, 1200]) {
      const task = await world.station.client.add("image_download", slow[type]);
      await running(task.id);
      await sleep(moment);
      const seen = await world.station.client.find(task.id);
      if (seen?.state !== "running") {
        context.diagnostic(`at ${moment} ms the pull was over already`);
        continue;
      }
      const took = Math.round(await cancel(task.id));
      if (wasOver(world.station, task.id)) continue;
      context.diagnostic(`cancelled at "${seen.detail_state}" in ${took} ms`);
      assert.equal(await hasImage(type, slow[type]), false);
    }
    const task = await world.station.client.add("image_download", slow[type]);
    assert.equal((await world.station.client.ended(task.id)).state, "completed");
    assert.equal(await hasImage(type, slow[type]), true);
  });

  test(`a create in ${type} cancelled at 5 moments: nothing is left`, async (context) => {
    const image = await world.station.client.add("image_download", big[type]);
    assert.equal((await world.station.client.ended(image.id)).state, "completed");
    const clean = await leftovers(world);
    for (const moment of [0, 50, 150, 300, 600]) {
      const name = `cancel-${type}-${moment}`;
      const network = { port: [[base[type] + moment, 80, "tcp"]] };
      const task = await world.station.client.add("create", { ...big[type], name, network });
      await running(task.id);
      await sleep(moment);
      const seen = await world.station.client.find(task.id);
      if (seen?.state !== "running") {
        context.diagnostic(`at ${moment} ms the create was over already`);
        continue;
      }
      const took = Math.round(await cancel(task.id));
      if (wasOver(world.station, task.id)) continue;
      context.diagnostic(`cancelled at "${seen.detail_state}" in ${took} ms`);
      assert.equal((await world.names(type)).includes(name), false);
      // Ports are looked after by a program now and then.
      await patiently("nothing is left", async () => assert.deepEqual(await leftovers(world), clean));
    }
    const name = `cancel-${type}-again`;
    const network = { port: [[base[type], 80, "tcp"]] };
    const again = await world.station.client.add("create", { ...big[type], name, network });
    assert.equal((await world.station.client.ended(again.id)).error, undefined, "names and ports are free again");
  });
}

test("a cancelled pull leaves no file in the store", () => {
  const store = join(world.station.dataDir, "images");
  assert.deepEqual(
    readdirSync(store).filter((name) => !/^[0-9a-f]{64}$/.test(name)),
    [],
  );
});

async function hasImage(type: SystemType, { image, tag }: { image: string; tag: string }): Promise<boolean> {
  if (type === "lxd") return (await world.lxd.find(`/1.0/images/aliases/${image}%2F${tag}`)) !== undefined;
  const name = `has-${Date.now()}`;
  const local = { type, repository: "local", image, tag, name };
  const ended = await world.station.client.ended((await world.station.client.add("create", local)).id);
  return ended.state === "completed";
}
