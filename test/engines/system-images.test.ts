import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import type { PullOptions, PullProgress } from "../../src/engines/images.ts";
import { createCatalogue } from "../../src/engines/system-images/catalogue.ts";
import type { SystemImages } from "../../src/engines/system-images/system-images.ts";
import { run } from "./commands.ts";
import { freePort } from "../support/free-port.ts";
import { checkProgress, fails } from "./engine-checks.ts";
import { type ImageServer, startImageServer } from "./image-server.ts";

const station = "6f1c1bb6-1d64-4a3b-9a3c-6f5f0a2c9d11";
const never = new AbortController().signal;
let server: ImageServer;
let folder: string;
let images: SystemImages;

before(async () => {
  server = await startImageServer();
});
after(() => server.close());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "system images-"));
  images = await catalogueOf(server.url);
});
afterEach(() => rmSync(folder, { recursive: true }));

function catalogueOf(url: string): Promise<SystemImages> {
  return createCatalogue({ folder, server: url, station });
}

async function pull(reference: string, from: SystemImages = images): Promise<PullProgress[]> {
  const steps: PullProgress[] = [];
  await from.pull(reference, { signal: never, onProgress: (step) => void steps.push(step) });
  return steps;
}

/** What the build says of itself. */
async function contentOf(reference: string): Promise<string> {
  const rootfs = await images.rootfs(reference);
  assert.ok(rootfs, `${reference} is there`);
  return execFileSync("tar", ["--zstd", "-xOf", rootfs.archive, "./etc/build"], { encoding: "utf8" }).trim();
}

/** Nothing but whole images, and these. */
async function assertOnly(...references: string[]): Promise<void> {
  const list = await images.list();
  assert.deepEqual(list.flatMap(({ tags }) => tags).toSorted(), references.toSorted());
  assert.deepEqual(readdirSync(folder).toSorted(), list.map(({ id }) => id).toSorted());
}

test("an image is pulled, listed, found by tag and id and its beginning, and removed", async () => {
  const steps = await pull("test-base:latest");
  checkProgress(steps);
  const image = await images.get("test-base:latest");
  assert.ok(image && image.size > 0);
  assert.deepEqual(image.tags, ["test-base:latest"]);
  assert.deepEqual(await images.list(), [image]);
  for (const reference of ["test-base", image.id, image.id.slice(0, 12)]) {
    assert.deepEqual(await images.get(reference), image);
  }
  assert.equal(await images.get(image.id.slice(0, 11)), undefined);
  assert.equal(await contentOf("test-base:latest"), "test/base");
  await images.remove("test-base:latest");
  await assertOnly();
  await fails(images.remove("test-base:latest"), "not_found");
});

test("names are aliases with - for /, tags releases and serials", async () => {
  const builds = {
    "ubuntu-bionic:latest": "20210810_07:42",
    "ubuntu/bionic:latest": "20210810_07:42",
    "ubuntu-bionic:bionic": "20210810_07:42",
    "ubuntu-bionic:18.04": "20210810_07:42",
    "ubuntu-bionic:20210809_0742": "20210809_07:42",
    "ubuntu-bionic:20210809_07_42": "20210809_07:42",
    "ubuntu-bionic-cloud:latest": "cloud",
  };
  for (const [reference, content] of Object.entries(builds)) {
    await pull(reference);
    assert.equal(await contentOf(reference), content, reference);
  }
  assert.equal(server.downloads("ubuntu/bionic"), 2, "one download for each build");
  await assertOnly(...Object.keys(builds));
  const { architecture } = (await images.rootfs("ubuntu-bionic")) ?? {};
  assert.equal(architecture, execFileSync("uname", ["-m"], { encoding: "utf8" }).trim());
});

test("what the server does not have is not found, in words that help", async () => {
  await fails(pull("ubuntu-none:latest"), "not_found", /has no image ubuntu-none:latest/);
  await fails(pull("Ubuntu-bionic:latest"), "not_found");
  await fails(pull("ubuntu-bionic:jammy"), "not_found", /has latest, bionic, 18\.04, 20210810_0742, 20210809_0742\./);
  await fails(pull("a".repeat(64)), "not_found");
  await assertOnly();
});

test("an answer that is wrong leaves nothing", async () => {
  for (const name of ["wrong", "cut", "short", "junk"]) {
    await fails(pull(`test-${name}:latest`), "remote_failed");
    await assertOnly();
  }
  await fails(pull("test-wrong:latest"), "remote_failed", /wrong SHA-256/);
  for (const url of [server.brokenUrl, server.endlessUrl, server.shapelessUrl]) {
    const error = await catalogueOf(url)
      .then((other) => pull("test-base:latest", other))
      .catch((cause: unknown) => cause);
    await fails(Promise.reject(error), "remote_failed");
    assert.equal((error as { details?: { reachable?: boolean } }).details?.reachable, true, url);
  }
  await assertOnly();
});

test("a server that is not in reach is told from one that answers wrongly", async () => {
  for (const url of [`http://127.0.0.1:${await freePort()}`, "https://images.test.invalid"]) {
    const other = await catalogueOf(url);
    await assert.rejects(pull("test-base:latest", other), { details: { server: new URL(url).host, reachable: false } });
    await fails(pull("test-base:latest", other), "remote_failed", /is not in reach/);
  }
});

test("a server may send on to another place", async () => {
  await pull("test-base:latest", await catalogueOf(server.movedUrl));
  await assertOnly("test-base:latest");
});

test("who pulls the same at once shares one download, and one who leaves does not stop the others", async () => {
  const before = server.downloads("test/slow");
  const abort = new AbortController();
  const steps: PullProgress[] = [];
  const options: PullOptions = {
    signal: abort.signal,
    onProgress: (step) => void (step.percent > 20 && abort.abort()),
  };
  const leaving = images.pull("test-slow:latest", options);
  const staying = images.pull("test/slow:latest", { signal: never, onProgress: (step) => void steps.push(step) });
  await fails(leaving, "cancelled");
  await staying;
  checkProgress(steps);
  assert.equal(server.downloads("test/slow"), before + 1);
  await assertOnly("test/slow:latest");
  await pull("test-slow:latest");
  assert.equal(server.downloads("test/slow"), before + 1, "what is there is not downloaded again");
  await assertOnly("test-slow:latest", "test/slow:latest");
});

test("an aborted pull leaves nothing, whenever it comes, and can be made again", async () => {
  await fails(images.pull("test-base:latest", { signal: AbortSignal.abort() }), "cancelled");
  for (const moment of [0, 2, 10, 50, 400, 1500]) {
    const signal = AbortSignal.timeout(moment);
    await fails(images.pull("test-slow:latest", { signal }), "cancelled");
    await assertOnly();
    assert.equal(await programs(), "", "no program is left");
  }
  await pull("test-slow:latest");
  await assertOnly("test-slow:latest");
});

/** Those that have the station's mark. */
async function programs(): Promise<string> {
  return (await run("sh", "-c", `grep -alsz "^GANTRY_TASK=${station}/" /proc/[0-9]*/environ || true`)).trim();
}

test("the tag moves to the newer build, and what has none left goes, while it can be read to its end", async () => {
  await pull("test-other:latest");
  const old = await images.rootfs("test-other");
  assert.ok(old);
  const size = readFileSync(old.archive).length;
  // The command waits before it reads.
  const reading = run("sh", "-c", `exec 3<"${old.archive}"; sleep 1; wc -c <&3`);
  await delay(200);
  server.add("test/other", "20260102_0000");
  await pull("test-other:latest");
  assert.equal(await contentOf("test-other"), "test/other 20260102_0000");
  await assertOnly("test-other:latest");
  assert.notEqual((await images.get("test-other"))?.id, old.id);
  assert.equal(Number(await reading), size);
  await pull("test-other:20260101_0000");
  assert.equal((await images.get("test-other:20260101_0000"))?.id, old.id);
  await assertOnly("test-other:20260101_0000", "test-other:latest");
});

test("with other tags left only the tag goes; by id all goes", async () => {
  for (const reference of ["test-base:latest", "test/base:latest"]) await pull(reference);
  await images.remove("test-base:latest");
  await assertOnly("test/base:latest");
  await pull("test-base:latest");
  const image = await images.get("test-base");
  await images.remove(image?.id ?? "");
  await assertOnly();
});

test("what a killed station left unfinished is gone at the next start; images stay", async () => {
  await pull("test-base:latest");
  const part = join(folder, ".part-1");
  const beyond = join(folder, "..", `beyond-${process.pid}`);
  mkdirSync(join(part, "build", "mounted"), { recursive: true });
  mkdirSync(beyond);
  writeFileSync(join(beyond, "kept"), "");
  await run("mount", "--bind", beyond, join(part, "build", "mounted"));
  const id = createHash("sha256").update("untagged").digest("hex");
  mkdirSync(join(folder, id));
  const record = { id, size: 1, architecture: "x", description: "x", serial: "x", created: 1, tags: {} };
  writeFileSync(join(folder, id, "image.json"), JSON.stringify(record));
  images = await catalogueOf(server.url);
  await assertOnly("test-base:latest");
  assert.deepEqual(readdirSync(beyond), ["kept"], "what was mounted there is not entered");
  rmSync(beyond, { recursive: true });
});

test("a full disk is told as such, and nothing is left", async () => {
  await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder);
  try {
    images = await catalogueOf(server.url);
    await fails(pull("test-slow:latest"), "disk_full");
    await assertOnly();
  } finally {
    await run("umount", folder);
  }
});
