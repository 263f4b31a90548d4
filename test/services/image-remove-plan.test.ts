import assert from "node:assert/strict";
import { test } from "node:test";
import type { CreateRequest } from "../../src/api/create.ts";
import type { ImageRemoveItem } from "../../src/api/image-remove.ts";
import { createImageReferences } from "../../src/services/planning/image-reference.ts";
import { requestedTag, tagsOf } from "../../src/services/planning/removed-tag.ts";
import type { Secrets } from "../../src/services/secrets/secrets.ts";
import { createShares } from "../../src/shares/shares.ts";
import { create } from "../../src/services/kinds/create.ts";
import { imageDownload } from "../../src/services/kinds/image-download.ts";
import { imageRemove } from "../../src/services/kinds/image-remove.ts";
import { createPlanner } from "../../src/services/kinds/planner.ts";
import type { RegistryStore } from "../../src/storage/registry-store.ts";

const plan = createPlanner({
  shares: createShares({}),
  images: createImageReferences({} as RegistryStore, {} as Secrets, async () => ({
    refusal: undefined,
    inside: false,
  })),
  capabilities: () => undefined,
  findContainer: () => undefined,
  unforwardable: () => undefined,
});
const id = `sha256:${"0123456789ab".repeat(5)}cdef`;
const item: ImageRemoveItem = { type: "docker", image: "a", tag: "1", id };

async function keys(request: ImageRemoveItem | ImageRemoveItem[]): Promise<string[]> {
  const { locks } = await plan(imageRemove, request);
  assert.ok(locks.every(([, mode]) => mode === "X"));
  return locks.map(([key]) => key).toSorted();
}

test("a removal locks the image, by however many digits it is named, and every tag that is named", async () => {
  const image = "docker/i/0123456789ab";
  assert.deepEqual(await keys(item), [image, "docker/i/a:1"]);
  assert.deepEqual(await keys({ ...item, id: "0123456789abcd" }), [image, "docker/i/a:1"]);
  assert.deepEqual(await keys({ ...item, image: "<none>", tag: "<none>" }), [image]);
  assert.deepEqual(await keys([item, { ...item, tag: "2" }]), [image, "docker/i/a:1", "docker/i/a:2"]);
});

test("a removal and a pull meet at every spelling of one name", async () => {
  const download = { type: "docker", repository: "dockerhub", tag: "1" } as const;
  for (const image of ["a", "library/a"]) {
    assert.deepEqual((await plan(imageDownload, { ...download, image })).locks, [["docker/i/a:1", "S"]]);
    assert.ok((await keys({ ...item, image })).includes("docker/i/a:1"), image);
  }
  assert.ok((await keys({ ...item, image: "docker.io/library/a" })).includes("docker/i/a:1"));
  assert.ok(
    (await keys({ ...item, image: "127.0.0.1:5000/library/a" })).includes("docker/i/127.0.0.1:5000/library/a:1"),
  );
});

test("a removal and a create meet at LXD's fingerprint", async () => {
  const fingerprint = "0123456789abcdef";
  const request: CreateRequest = {
    type: "lxd",
    repository: "lxd",
    name: "ct",
    image: "ubuntu",
    tag: "bionic",
    fingerprint,
  };
  const { locks } = await plan(create, request);
  assert.ok(locks.some(([key, mode]) => key === "lxd/i/0123456789ab" && mode === "S"));
  assert.ok((await keys({ type: "lxd", image: "x", tag: "y", id: "0123456789ab" })).includes("lxd/i/0123456789ab"));
});

test("LXD's tag is the last part of an alias, and latest goes without saying", () => {
  const lxd = { ...item, type: "lxd" } as const;
  assert.deepEqual(tagsOf({ ...lxd, image: "ubuntu", tag: "bionic" }), ["ubuntu/bionic"]);
  assert.deepEqual(tagsOf({ ...lxd, image: "ubuntu", tag: "latest" }), ["ubuntu/latest", "ubuntu"]);
  assert.deepEqual(
    ["ubuntu/bionic", "ubuntu", "a/b/c"].map((alias) => requestedTag("lxd", alias)),
    ["ubuntu:bionic", "ubuntu:latest", "a/b:c"],
  );
});
