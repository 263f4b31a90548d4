import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ContainerInfo } from "../../src/api/container-info.ts";
import { dockerApi, removeContainers, removeImage } from "../support/docker-cli.ts";
import { startStation, type TestStation } from "../support/station.ts";
import { eventually } from "./number-checks.ts";
import { openStream, type Stream } from "./streams.ts";

let station: TestStation;
before(async () => {
  station = await startStation({ flags: ["--max-streams", "3"] });
});
after(async () => {
  await station.close();
  await removeContainers("event-");
});

interface Events {
  index: number;
  messages: string[];
  offset: number;
}

const events = (query = "") => station.client.ok<Events>("GET", `/event${query}`);
const body = { type: "docker", image: "busybox", tag: "latest" };

async function done(category: string, request: object): Promise<void> {
  const { state, error } = await station.client.ended((await station.client.add(category, request)).id);
  assert.equal(state, "completed", error);
}

/** Without the time, newest first; of those after `index`. */
async function since(index: number): Promise<string[]> {
  return (await events(`?index=${index}`)).messages.map((message) => message.replace(/:\d{10}:/, ":0:"));
}

test("a download, a create and a removal are told as the documents say", async () => {
  const { offset } = await events();
  await done("image_download", { ...body, repository: "dockerhub" });
  const download = `image:admin:0:{"name": "busybox", "repository": "dockerhub", "state": "success", "tag": "latest", "action": "download", "type": "docker"}`;
  const told = await since(offset);
  assert.ok(told.includes(download), told.join("\n"));
  const ended = told.find((message) => message.startsWith("background:admin:0:") && message.includes("completed"));
  assert.match(
    ended ?? "",
    /^background:admin:0:\{"category": "image_download", "state": "completed", "container": "busybox:latest", "tid": \d+, "result": 0\}$/,
  );
  assert.ok(told.indexOf(download) > told.indexOf(ended ?? ""), "newest first");
  assert.match(
    told.find((message) => message.includes('"update"')) ?? "",
    /^image:system:0:\{"action": "update", "category": "local", "type": "docker"\}$/,
  );

  await done("create", { ...body, repository: "local", name: "event-made" });
  const { id } = await station.client.ok<ContainerInfo>("GET", "/container/event-made");
  const container = (state: string) =>
    `container:admin:0:{"container": "event-made", "id": "${id}", "type": "docker", "state": "${state}"}`;
  const made = (await since(offset)).filter((message) => message.startsWith("container:"));
  assert.deepEqual(made.toReversed(), [container("create"), container("start")], "by the user of the task");

  const image = await dockerApi<{ Id: string }>("GET", "/images/busybox:latest/json");
  await dockerApi("DELETE", `/containers/${id}?force=1`);
  await done("image_remove", { ...body, id: image.Id });
  const removed = `image:admin:0:{"action": "delete", "state": "success", "type": "docker", "name": "busybox"}`;
  assert.ok((await since(offset)).includes(removed));
});

test("a download that fails is told as an error", async () => {
  const { offset } = await events();
  const { id } = await station.client.add("image_download", {
    ...body,
    image: "nobody-has-this",
    repository: "dockerhub",
  });
  await station.client.ended(id);
  // That an earlier test changed Docker's images may be told meanwhile, by `system`.
  const told = (await since(offset)).filter((message) => message.startsWith("image:admin:"));
  assert.deepEqual(told, [
    `image:admin:0:{"name": "nobody-has-this", "repository": "dockerhub", "state": "error", "tag": "latest", "action": "download", "type": "docker"}`,
  ]);
});

test("what happens to a container behind the station's back is told, each change once", async () => {
  await done("image_download", { ...body, repository: "dockerhub" });
  const { offset } = await events();
  const made = { Image: "busybox:latest", Cmd: ["sleep", "1000"] };
  const { Id } = await dockerApi<{ Id: string }>("POST", "/containers/create?name=event-behind", made);
  for (const verb of ["start", "pause", "unpause", "restart?t=0", "stop?t=0"])
    await dockerApi("POST", `/containers/${Id}/${verb}`);
  await dockerApi("DELETE", `/containers/${Id}`);
  const expected = ["create", "start", "pause", "unpause", "stop", "start", "restart", "stop", "destroy"];
  const told = async () => (await since(offset)).filter((message) => message.includes(Id)).toReversed();
  await eventually(async () => (await told()).length >= expected.length);
  assert.deepEqual(
    await told(),
    expected.map(
      (state) =>
        `container:system:0:{"container": "event-behind", "id": "${Id}", "type": "docker", "state": "${state}"}`,
    ),
  );
});

test("a verb is told by its user, and its task is in no list", async () => {
  await done("create", { ...body, repository: "dockerhub", name: "event-verbs" });
  const { offset } = await events();
  for (const verb of ["stop", "start"]) await station.client.ok("PUT", `/container/docker/event-verbs/${verb}`);
  await station.client.ok("DELETE", "/container/docker/event-verbs?force=true");
  const expected = ["stop", "start", "stop", "destroy"].map((state) => `"state": "${state}"}`);
  await eventually(async () => (await since(offset)).length >= expected.length);
  const told = (await since(offset)).toReversed();
  assert.equal(told.length, expected.length, told.join("\n"));
  for (const [index, message] of told.entries()) {
    assert.ok(message.startsWith('container:admin:0:{"container": "event-verbs"'), message);
    assert.ok(message.endsWith(expected[index] ?? ""), message);
  }
});

test("index and offset: the latest 20, what came since, a stretch; nonsense is refused", async () => {
  const latest = await events();
  assert.equal(latest.messages.length, 20);
  assert.equal(latest.offset - latest.index, 20);
  assert.deepEqual(await events(`?index=${latest.offset}`), {
    index: latest.offset,
    messages: [],
    offset: latest.offset,
  });
  const some = await events(`?index=${latest.index}&offset=${latest.index + 5}`);
  assert.deepEqual(some, { index: latest.index, messages: latest.messages.slice(-5), offset: latest.index + 5 });
  assert.deepEqual(await events("?index=0&offset=1"), {
    index: 0,
    messages: (await events("?index=0&offset=1")).messages,
    offset: 1,
  });
  assert.deepEqual((await events("?index=999999")).messages, []);
  for (const query of ["?index=-1", "?index=x", "?offset=1.5", `?index=${"9".repeat(30)}`]) {
    assert.equal((await station.client.send("GET", `/event${query}`)).status, 400, query);
  }
});

test("the stream carries all kinds, with the same numbers", async () => {
  const stream = await openStream(station.url, station.client.cookie());
  const { offset } = await events();
  await done("create", { ...body, repository: "local", name: "event-streamed" });
  await removeImage("busybox:latest");
  const kinds = (items: Stream["items"]) => new Set(items.map(({ event }) => event));
  await stream.until((items) => ["container", "image", "background"].every((kind) => kinds(items).has(kind)));
  assert.ok(stream.items.some(({ id }) => id === offset + 1));
  stream.close();
});

test("wait: at once when it is so, when it becomes so, and when the time is over", async () => {
  await done("create", { ...body, repository: "dockerhub", name: "event-waited" });
  const wait = (state: string, query = "") =>
    station.client.send("GET", `/event/wait/docker/event-waited/${state}${query}`);
  const at = (answer: { body: unknown }) => (answer.body as ContainerInfo).state;
  const begun = performance.now();
  assert.equal(at(await wait("running")), "running");
  assert.ok(performance.now() - begun < 10_000);
  const timedOut = await wait("stopped", "?duration=1");
  assert.ok(performance.now() - begun > 900);
  assert.equal(timedOut.status, 200);
  assert.equal(at(timedOut), "running");

  const waiting = wait("stopped", "?duration=20");
  const stopped = performance.now();
  await dockerApi("POST", "/containers/event-waited/stop?t=0");
  assert.equal(at(await waiting), "stopped");
  assert.ok(performance.now() - stopped < 15_000);

  const gone = wait("running", "?duration=20");
  await dockerApi("DELETE", "/containers/event-waited?force=1");
  assert.equal((await gone).status, 404);
  assert.equal((await wait("running")).status, 404);
  assert.equal((await wait("paused")).status, 400);
  assert.equal((await wait("running", "?duration=-1")).status, 400);
  assert.equal((await wait("running", "?duration=999999")).status, 400);
});

test("a user's streams and waits have a cap, and a place that is left is free again", async () => {
  const cookie = station.client.cookie();
  const streams = [
    await openStream(station.url, cookie),
    await openStream(station.url, cookie),
    await openStream(station.url, cookie),
  ];
  await assert.rejects(openStream(station.url, cookie), /429/);
  streams[0]?.close();
  await eventually(async () => {
    const again = await openStream(station.url, cookie).catch(() => undefined);
    again?.close();
    return again !== undefined;
  });
  for (const stream of streams) stream.close();
});
