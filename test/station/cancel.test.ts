import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { hasImage, hasContainer, removeContainers, removeImage } from "../support/docker-cli.ts";
import { startDockerProxy, type DockerProxy, type EngineMoment } from "../support/docker-proxy.ts";
import { bigImage, busybox } from "../support/images.ts";
import { promised } from "../support/promised.ts";
import { startStation, type TestStation } from "../support/station.ts";
import { wasOver } from "../support/station-data.ts";

let station: TestStation;
let proxy: DockerProxy;
let watch: (moment: EngineMoment) => Promise<void> | void = () => undefined;

before(async () => {
  proxy = await startDockerProxy(join(mkdtempSync(join(tmpdir(), "cancel-")), "docker.sock"), (moment) =>
    watch(moment),
  );
  station = await startStation({ docker: proxy.address });
});
after(async () => {
  await station.close();
  await proxy.close();
  await removeContainers("cancel");
});

/** Cancels, and checks what is promised: answered within 10 s with the id, hidden from the list. */
async function cancel(id: number): Promise<void> {
  const begun = performance.now();
  const answer = await station.client.send("DELETE", `/background/${id}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.deepEqual(answer.body, [id]);
  assert.ok(performance.now() - begun < promised.tenSeconds);
  assert.equal(await station.client.find(id), undefined);
}

async function running(id: number): Promise<void> {
  for (;;) {
    const task = await station.client.find(id);
    if (task?.state === "running" && task.deletable) return;
    assert.ok(task && !task.end, `ended too soon: ${JSON.stringify(task)}`);
    await sleep(5);
  }
}

test("a 200 MB pull cancelled at 5 moments: no image, quiet at once, and it can be pulled afterwards", async (context) => {
  const image = await bigImage();
  const [name, tag] = image.split(":");
  const body = { ...busybox, image: name, tag };
  for (const moment of [0, 150, 400, 800, 1300]) {
    const task = await station.client.add("image_download", body);
    await running(task.id);
    await sleep(moment);
    const seen = await station.client.find(task.id);
    if (seen?.state !== "running") {
      context.diagnostic(`at ${moment} ms the pull was over already`);
      await removeImage(image);
      continue;
    }
    const begun = performance.now();
    await cancel(task.id);
    if (wasOver(station, task.id)) {
      await removeImage(image);
      continue;
    }
    context.diagnostic(`cancelled at "${seen.detail_state}" in ${Math.round(performance.now() - begun)} ms`);
    await sleep(300);
    assert.equal(await hasImage(image), false);
  }
  const task = await station.client.add("image_download", body);
  assert.equal((await station.client.ended(task.id, 120_000)).state, "completed");
  assert.equal(await hasImage(image), true);
});

const places = [
  { what: "before Docker sees the create", path: "/containers/create", when: "before" },
  { what: "when Docker has answered the create", path: "/containers/create", when: "after" },
  { what: "before Docker sees the start", path: "/start", when: "before" },
  { what: "when Docker has answered the start", path: "/start", when: "after" },
] as const;

for (const [index, { what, path, when }] of places.entries()) {
  test(`a create cancelled ${what}: no container is left`, async () => {
    const met = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    watch = (moment) => {
      if (moment.method !== "POST" || moment.when !== when || !moment.path.includes(path)) return undefined;
      met.resolve();
      return go.promise;
    };
    const name = `cancel-${index}`;
    const task = await station.client.add("create", { ...busybox, name });
    await met.promise;
    await running(task.id);
    const cancelled = cancel(task.id);
    await sleep(100);
    assert.match(String((await station.client.find(task.id))?.detail_state), /^Cancelling/);
    go.resolve();
    await cancelled;
    watch = () => undefined;
    assert.equal(await hasContainer(name), false);
    const again = await station.client.add("create", { ...busybox, name });
    assert.equal((await station.client.ended(again.id)).state, "completed", "the name is free again");
  });
}

test("a create cancelled while it pulls", async () => {
  const image = await bigImage();
  await removeImage(image);
  const task = await station.client.add("create", { ...busybox, name: "cancel-pull", image: "big" });
  await running(task.id);
  await sleep(300);
  await cancel(task.id);
  assert.equal(await hasContainer("cancel-pull"), false);
});

test("an answer that takes Docker longer than 10 s: the cancel is answered at 10 s, and undone when Docker lets go", async () => {
  const go = Promise.withResolvers<void>();
  watch = (moment) =>
    moment.method === "POST" && moment.when === "after" && moment.path.includes("/start") ? go.promise : undefined;
  const task = await station.client.add("create", { ...busybox, name: "cancel-slow" });
  await running(task.id);
  await sleep(300);
  const begun = performance.now();
  const answer = await station.client.send("DELETE", `/background/${task.id}`);
  const took = performance.now() - begun;
  assert.deepEqual(answer.body, [task.id]);
  assert.ok(took > 9_000 && took < promised.tenSeconds, `answered after ${took} ms`);
  const seen = await station.client.find(task.id);
  assert.equal(seen?.state, "running");
  assert.equal(seen?.deletable, false);
  assert.match(seen?.detail_state ?? "", /^Cancelling/);
  // A crash in the middle does not forget it.
  await station.kill();
  watch = () => undefined;
  go.resolve();
  await station.start();
  const end = Date.now() + 60_000;
  while (await station.client.find(task.id)) {
    assert.ok(Date.now() < end);
    await sleep(50);
  }
  assert.equal(await hasContainer("cancel-slow"), false);
});

test("a waiting task is withdrawn and never starts", async () => {
  const held = await startStation({ flags: ["--heavy", "0"] });
  try {
    const task = await held.client.add("create", { ...busybox, name: "cancel-waiting" });
    assert.deepEqual((await held.client.send("DELETE", `/background/${task.id}`)).body, [task.id]);
    assert.equal((await held.client.send("DELETE", `/background/${task.id}`)).status, 404);
    assert.deepEqual(await held.client.tasks(), []);
  } finally {
    await held.close();
  }
});
