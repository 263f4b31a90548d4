import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Task } from "../../src/api/task.ts";
import { dockerApi, hasImage, removeContainers, removeImage } from "../support/docker-cli.ts";
import { testEngines } from "../support/engines.ts";
import { busybox, pushTinyImage } from "../support/images.ts";
import { startStation, type TestStation } from "../support/station.ts";

const { registryAuth, registryLogin } = testEngines();

let station: TestStation;
before(async () => {
  station = await startStation();
  const registry = { name: "auth", url: `http://${registryAuth}`, enableTrustCert: false, ...registryLogin };
  await station.client.ok("POST", "/registry", { method: "add", ...registry });
});
after(async () => {
  await station.close();
  await removeContainers("images");
});

async function ended(category: string, body: unknown): Promise<Task> {
  const { id } = await station.client.add(category, body);
  return station.client.ended(id);
}

function download(image: string, changes: object = {}, category = "image_download"): Promise<Task> {
  return ended(category, { ...busybox, image, tag: "1", ...changes });
}

interface Item {
  image: string;
  tag?: string;
  id: string;
}

function remove(...items: Item[]): Promise<Task> {
  const list = items.map(({ image, tag = "1", id }) => ({ type: "docker", image, tag, id }));
  return ended("image_remove", list.length === 1 ? list[0] : list);
}

/** An image on this host under all these names; answers its id. */
async function present(name: string, ...others: string[]): Promise<string> {
  await pushTinyImage(name);
  assert.equal((await download(name)).error, undefined);
  for (const other of others) {
    const [repo, tag] = other.split(":");
    await dockerApi("POST", `/images/${name}:1/tag?repo=${repo}&tag=${tag}`);
  }
  const { Id } = await dockerApi<{ Id: string }>("GET", `/images/${name}:1/json`);
  return Id;
}

function assertFailed(task: Task, reason: RegExp): void {
  assert.equal(task.state, "error");
  assert.equal(task.result, 1);
  assert.match(String(task.error), reason);
  assert.doesNotMatch(String(task.error), /[{}]|\n/, "one sentence for a person");
}

test("image_download of Docker Hub's, of a private and of a local image", async () => {
  await pushTinyImage("images-hub");
  const pulled = await download("images-hub");
  assert.equal(pulled.state, "completed");
  assert.equal(pulled.progress, 100);
  assert.equal(pulled.name, "images-hub:1");
  const local = await download("images-hub", { repository: "local" });
  assert.equal(local.state, "completed", "it is here already");

  const secret = await download("private/app", { repository: "private", registry_name: "auth" });
  assert.equal(secret.error, undefined);
  assert.equal(await hasImage(`${registryAuth}/private/app:1`), true);
  await removeImage(`${registryAuth}/private/app:1`);
});

test("image_download of what is not there: the task's error in plain words", async () => {
  assertFailed(await download("images-none"), /Docker Hub has no image images-none:1/);
  assertFailed(await download("images-none", { repository: "local" }), /The image images-none:1 is not on this host\./);
  const none = await download("private/none", { repository: "private", registry_name: "auth" });
  assertFailed(none, new RegExp(`The registry ${registryAuth} has no image ${registryAuth}/private/none:1`));
});

test("image_download takes a newer image of the same tag; a create takes what is there", async () => {
  const before = await present("images-newer");
  const newer = await present("images-other");
  await pushTinyImage("images-newer");
  assert.equal(
    (await ended("create", { ...busybox, name: "images-old", image: "images-newer", tag: "1" })).error,
    undefined,
  );
  const { Image } = await dockerApi<{ Image: string }>("GET", "/containers/images-old/json");
  assert.equal(Image, before);
  assert.equal((await download("images-newer")).error, undefined);
  const { Id } = await dockerApi<{ Id: string }>("GET", "/images/images-newer:1/json");
  assert.ok(Id !== before && Id !== newer);
});

test("image_pull is image_download by another name", async () => {
  await pushTinyImage("images-alias");
  const { id, category } = await station.client.add("image_pull", { ...busybox, image: "images-alias", tag: "1" });
  assert.equal(category, "image_pull", "as it was asked");
  const task = await station.client.ended(id);
  assert.deepEqual([task.state, task.category], ["completed", "image_pull"]);
  for (const name of ["image_pull", "image_download"]) {
    const listed = await station.client.ok<Task[]>("GET", `/background/?category=${name}`);
    assert.ok(listed.some((task) => task.id === id));
  }
  const deleted = await station.client.ok<number[]>("DELETE", "/background/image_pull");
  assert.ok(deleted.includes(id));
  assert.equal(await station.client.find(id), undefined);
});

test("image_remove: of two tags one goes, with the last one the image", async () => {
  const id = await present("images-tags", "images-tags:2");
  assert.equal((await remove({ image: "images-tags", id })).state, "completed");
  assert.equal(await hasImage("images-tags:1"), false);
  assert.equal(await hasImage("images-tags:2"), true);
  assert.equal((await remove({ image: "images-tags", tag: "2", id })).state, "completed");
  assert.equal(
    (await dockerApi<{ message?: string }>("GET", `/images/${id}/json`)).message?.includes("No such image"),
    true,
  );
});

test("image_remove: a short id is an id; a name, a tag or too few digits are none", async () => {
  const id = await present("images-short");
  const other = await present("images-keep");
  const bare = id.replace("sha256:", "");
  for (const wrong of [
    "fake_id",
    bare.slice(0, 6),
    "images-short",
    "images-short:1",
    `sha256:${"0".repeat(64)}`,
    `${bare.slice(0, 11)}z`,
  ]) {
    assertFailed(
      await remove({ image: "images-short", id: wrong }),
      /There is no image with the id .* \(images-short:1\) on this host\./,
    );
  }
  assert.equal(await hasImage("images-short:1"), true);
  assert.equal((await remove({ image: "images-short", id: bare.slice(0, 12) })).state, "completed");
  assert.equal(await hasImage("images-short:1"), false);
  assert.equal(await hasImage("images-keep:1"), true);
  assert.equal((await remove({ image: "library/images-keep", id: other })).state, "completed", "another spelling");
  assert.equal(await hasImage("images-keep:1"), false);
});

test("image_remove: a tag that the image does not have is an error, and the image keeps the tag that it has", async () => {
  const id = await present("images-other-tag", "images-other-tag:2");
  const second = { image: "images-other-tag", tag: "2", id };
  const [done, again] = await Promise.all([remove(second), remove(second)]).then((tasks) =>
    tasks.toSorted((a, b) => (a.error ?? "").localeCompare(b.error ?? "")),
  );
  assert.equal(done?.error, undefined);
  assertFailed(again as Task, new RegExp(`image ${id} has no tag images-other-tag:2 \\(it has images-other-tag:1\\)`));
  assertFailed(await remove({ image: "images-other", id }), /has no tag images-other:1 \(it has images-other-tag:1\)/);
  assertFailed(
    await remove({ image: "<none>", tag: "<none>", id }),
    /has no tag <none>:<none> \(it has images-other-tag:1\)/,
  );
  assert.equal(await hasImage("images-other-tag:1"), true);
});

test("image_remove: an image without tags goes by its id and <none> only", async () => {
  const id = await present("images-dangling");
  await pushTinyImage("images-dangling");
  assert.equal((await download("images-dangling")).error, undefined);
  assertFailed(await remove({ image: "images-dangling", id }), /has no tag images-dangling:1 \(it has none\)/);
  assert.equal((await remove({ image: "<none>", tag: "<none>", id })).error, undefined);
  const left = await dockerApi<{ message?: string }>("GET", `/images/${id}/json`);
  assert.match(left.message ?? "", /No such image/);
  assert.equal(await hasImage("images-dangling:1"), true);
});

test("image_remove: half a name, and force, are refused by the name of the field", async () => {
  const whole = { type: "docker", image: "images-hub", tag: "1", id: "fake_id" };
  for (const [body, message] of [
    [{ ...whole, image: "<none>" }, /^tag must be <none> too/],
    [[whole, { ...whole, tag: "<none>" }], /^\[1\]\.image must be <none> too/],
    [{ ...whole, force: true }, /^force /],
    [{ ...whole, id: undefined }, /^id is missing/],
  ] as const) {
    const { status, body: answer } = await station.client.send("POST", "/background/image_remove", body);
    assert.equal(status, 400);
    assert.match((answer as { error: { message: string } }).error.message, message);
  }
});

test("image_remove: an image that a container uses stays, and the error says which", async () => {
  const id = await present("images-used");
  const created = await ended("create", { ...busybox, name: "images-user", image: "images-used", tag: "1" });
  assert.equal(created.error, undefined);
  const task = await remove({ image: "images-used", id });
  assertFailed(task, /^images-used:1: Docker: conflict: .*image is being used by running container/);
  assert.equal(await hasImage("images-used:1"), true);
});

test("image_remove: in a list the good ones go, and the error names the others", async () => {
  const [one, two] = [await present("images-one"), await present("images-two")];
  const task = await remove(
    { image: "images-one", id: one },
    { image: "images-bad", id: "fake_id" },
    { image: "images-two", id: two },
  );
  assert.equal(task.name, "images-one:1 (+2)");
  assertFailed(
    task,
    /^1 of 3 images were not removed: There is no image with the id fake_id \(images-bad:1\) on this host\.$/,
  );
  assert.equal(await hasImage("images-one:1"), false);
  assert.equal(await hasImage("images-two:1"), false);
});

test("image_remove: the same image twice in a list", async () => {
  const id = await present("images-twice", "images-twice:2");
  const task = await remove({ image: "images-twice", id }, { image: "images-twice", tag: "2", id });
  assert.equal(task.state, "completed");
  assert.equal(await hasImage("images-twice:2"), false);
});
