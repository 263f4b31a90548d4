import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Task } from "../../src/api/task.ts";
import { hasImage, removeImage } from "../support/docker-cli.ts";
import { busybox, pushTinyImage } from "../support/images.ts";
import { says, startLyingDocker, type LyingDocker } from "../support/lying-docker.ts";
import { startStation, type TestStation } from "../support/station.ts";

/** Pulls whose end is not what it seems: the task says what became of the image. */

let docker: LyingDocker;
let station: TestStation;
before(async () => {
  docker = await startLyingDocker(join(mkdtempSync(join(tmpdir(), "lying-")), "docker.sock"));
  station = await startStation({ docker: docker.address, flags: ["--heavy", "2"] });
});
after(async () => {
  await station.close();
  await docker.close();
});

const request = (image: string) => ({ ...busybox, image, tag: "1" });
const progress = '{"status":"Downloading","id":"a1","progressDetail":{"current":1,"total":2}}';

async function pull(image: string): Promise<Task> {
  const { id } = await station.client.add("image_download", request(image));
  return station.client.ended(id);
}

test("a pull that says its error in errorDetail alone has failed, and the task has its words", async () => {
  for (const line of [
    '{"errorDetail":{"message":"x went wrong"}}',
    '{"errorDetail":{"code":1,"message":"x went wrong"}}',
  ]) {
    docker.answer(says([progress, line]));
    const { state, result, error } = await pull("pull-detail");
    assert.deepEqual([state, result], ["error", 1]);
    assert.match(String(error), /x went wrong/);
  }
  for (const line of ['{"errorDetail":{}}', '{"error":""}', '{"error":{"a":1}}']) {
    docker.answer(says([line]));
    assert.equal((await pull("pull-detail")).state, "error", line);
  }
});

test("a pull that ends cleanly and leaves no image has failed", async () => {
  for (const lines of [[], ['{"status":"Status: Downloaded newer image for pull-none:1"}']]) {
    docker.answer(says(lines));
    const { state, error } = await pull("pull-none");
    assert.equal(state, "error");
    assert.match(String(error), /^The pull of pull-none:1 ended without an error, but docker has no such image\.$/);
  }
});

test("a pull whose answer cannot be read fails at once, in one sentence", async () => {
  for (const lines of [["<html>this is not Docker</html>"], [progress, "5"], [progress, "null"], ["[1"]]) {
    docker.answer(says(lines));
    const before = docker.answered();
    const { state, error } = await pull("pull-junk");
    assert.equal(state, "error");
    assert.equal(error, "Docker's answer cannot be read.", lines.join());
    assert.equal(docker.answered() - before, 1);
  }
});

test("pulls that are cut off get a handful of tries, and hold up no other pull meanwhile", async () => {
  await pushTinyImage("pull-well");
  docker.answer((response, { url = "" }) => {
    const cut = url.includes("pull-cut");
    return cut ? says([progress], { cut })(response) : says(['{"error":"another image"}'])(response);
  });
  const before = docker.answered();
  const names = ["pull-cut-1", "pull-cut-2", "pull-cut-3", "pull-cut-4"];
  const tasks = await Promise.all(names.map((name) => station.client.add("image_download", request(name))));
  const other = await pull("pull-other");
  assert.match(String(other.error), /another image/);
  const first = await station.client.find(tasks[0]?.id ?? 0);
  assert.equal(first?.end, undefined, "the other pull was done while those that were cut off were resting");
  for (const { id, name } of tasks) {
    const { state, error } = await station.client.ended(id);
    assert.equal(state, "error");
    assert.equal(error, `The download of ${name} was cut off.`);
  }
  assert.equal(docker.answered() - before, 4 * 5 + 1);
  docker.answer(undefined);
  assert.equal((await pull("pull-well")).error, undefined, "Docker itself pulls as ever");
  assert.equal(await hasImage("pull-well:1"), true);
  await removeImage("pull-well:1");
});

test("a pull that is cut off once is made again", async () => {
  await pushTinyImage("pull-again");
  docker.answer((response) => {
    docker.answer(undefined);
    // In the middle of a line, as of a connection that was closed in good order.
    response.end(`${progress}\r\n{"status":"Down`);
  });
  assert.equal((await pull("pull-again")).error, undefined);
  await removeImage("pull-again:1");
});
