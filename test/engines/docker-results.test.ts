import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";

import { createDockerEngine } from "../../src/engines/docker/docker.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { createOperations, type Operation } from "../../src/engines/lxd/client/operations.ts";
import type { LxdHttp } from "../../src/engines/lxd/client/http.ts";
import { containerSpec } from "./container-spec.ts";
import { fails } from "./engine-checks.ts";

/** Engines that say that they have done what they have not. */

const id = "ab".repeat(32);
const container = { Id: id, Name: "/web", Image: "i", Config: { Image: "a" }, HostConfig: {} };
const answers: Record<string, unknown> = { "/containers/json": [] };
const server = http.createServer((request, response) => {
  const path = (request.url ?? "").replace(/^\/v1\.\d+/, "").split("?")[0] ?? "";
  const known = Object.hasOwn(answers, path) ? answers[path] : { ApiVersion: "1.41" };
  response.writeHead(known === undefined ? 404 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify(known ?? { message: "No such image" }));
});
let engine: Engine;

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  engine = createDockerEngine({ address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
after(() => {
  engine.close();
  server.close();
});

test("a create without an id has made nothing", async () => {
  for (const answer of [{}, { Id: "" }, { Id: "short" }, { Warnings: [] }, "made"]) {
    answers["/containers/create"] = answer;
    await fails(
      engine.containers.create(containerSpec({ image: "a:1" })),
      "engine_failed",
      /said that it made container/,
    );
  }
});

test("a start after which nothing runs or has run has started nothing", async () => {
  answers[`/containers/${id}/start`] = "";
  const at = (State: object) => (answers[`/containers/${id}/json`] = { ...container, State });
  at({ Running: false, Pid: 0, StartedAt: "0001-01-01T00:00:00Z" });
  await fails(engine.containers.start(id), "engine_failed", /said that it started container/);
  at({ Running: false, Pid: 0, StartedAt: "2026-01-01T00:00:00Z" });
  await engine.containers.start(id);
});

test("a verb after which the container is as before has done nothing", async () => {
  const started = { Running: true, Pid: 1, StartedAt: "2026-01-01T00:00:00Z" };
  const at = (State: object, more: object = {}) =>
    (answers[`/containers/${id}/json`] = { ...container, State, ...more });
  for (const verb of ["stop", "restart", "pause", "unpause", "rename", "update"])
    answers[`/containers/${id}/${verb}`] = "";
  const { containers } = engine;
  at(started);
  await fails(containers.stop(id), "engine_failed", /said that it stopped container/);
  await fails(containers.restart(id), "engine_failed", /said that it restarted container/);
  await fails(containers.pause(id), "engine_failed", /said that it paused container/);
  await fails(containers.rename(id, "new"), "engine_failed", /said that it renamed container/);
  await fails(containers.setAutostart(id, true), "engine_failed", /said that it changed container/);
  at({ ...started, Paused: true });
  await containers.pause(id);
  await fails(containers.unpause(id), "engine_failed", /said that it let go on container/);
  at({ ...started, Running: false });
  await containers.stop(id);
});

test("a commit whose image is not there under the name has made none", async () => {
  answers[`/containers/${id}/json`] = { ...container, State: { Running: true, Pid: 1 } };
  answers["/commit"] = { Id: `sha256:${id}` };
  const path = `/images/${encodeURIComponent("new:1")}/json`;
  const commit = () => engine.containers.commit(id, { reference: "new:1", author: "", message: "" });
  answers[path] = { Id: `sha256:${"cd".repeat(32)}` };
  await fails(commit(), "engine_failed", /said that it made the image new:1/);
  answers[path] = undefined;
  await assert.rejects(commit());
  answers[path] = { Id: `sha256:${id}` };
  assert.equal(await commit(), `sha256:${id}`);
});

test("an operation of LXD that ends in anything but success has failed", async () => {
  const operations = createOperations({} as LxdHttp);
  const ended = (status_code: number, status: string): Operation => ({
    id: "1",
    status,
    status_code,
    resources: null,
    metadata: null,
    err: "",
  });
  operations.check(ended(200, "Success"));
  for (const [code, word] of [
    [401, "Cancelled"],
    [400, "Failure"],
    [300, "Other"],
    [112, "Error"],
  ] as const)
    assert.throws(() => operations.check(ended(code, word)), new RegExp(`the operation ended as ${word}`));
});
