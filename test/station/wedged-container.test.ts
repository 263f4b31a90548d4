import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { listContainers, removeContainers } from "../support/docker-cli.ts";
import { startDockerProxy, type DockerProxy, type EngineMoment } from "../support/docker-proxy.ts";
import { startStation, type TestStation } from "../support/station.ts";

let station: TestStation;
let proxy: DockerProxy;
let watch: (moment: EngineMoment) => Promise<void> | void = () => undefined;
const share = mkdtempSync(join(tmpdir(), "wedged-share-"));
const plain = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };

before(async () => {
  proxy = await startDockerProxy(join(mkdtempSync(join(tmpdir(), "wedged-")), "docker.sock"), (moment) =>
    watch(moment),
  );
  station = await startStation({ docker: proxy.address, flags: ["--share", `Public=${share}`] });
});
after(async () => {
  await station.close();
  await proxy.close();
  await removeContainers("wedged");
});

test("one container that Docker hangs on hides no other, and the engine stays available", async () => {
  const first = await station.client.add("create", { ...plain, name: "wedged-1" });
  assert.equal((await station.client.ended(first.id)).state, "completed");
  const id = (await listContainers()).find(({ Names }) => Names.includes("/wedged-1"))?.Id ?? "";
  watch = ({ when, path }) =>
    when === "before" && path.includes(`/containers/${id}/json`) ? new Promise(() => undefined) : undefined;
  await station.stop();
  await station.start();
  const second = await station.client.add("create", { ...plain, name: "wedged-2" });
  assert.equal((await station.client.ended(second.id)).state, "completed");
  watch = () => undefined;
});

test("a command that has run and ended before the station was killed is not run again", async () => {
  const started = Promise.withResolvers<void>();
  watch = async ({ when, method, path }) => {
    if (when !== "after" || method !== "POST" || !path.endsWith("/start")) return;
    await sleep(1_000);
    started.resolve();
    await new Promise(() => undefined);
  };
  const command = ["sh", "-c", "echo ran >> /out/log"];
  const task = await station.client.add("create", {
    ...plain,
    name: "wedged-once",
    command,
    volume: { host: { "/Public": { bind: "/out" } } },
  });
  await started.promise;
  await station.kill();
  watch = () => undefined;
  await station.start();
  assert.equal((await station.client.ended(task.id)).state, "completed");
  await sleep(500);
  assert.equal(readFileSync(join(share, "log"), "utf8"), "ran\n");
});
