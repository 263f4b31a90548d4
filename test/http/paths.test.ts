import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalPath } from "../../src/http/requests/paths.ts";
import { startServer } from "./harness.ts";
import { task } from "./stub-services.ts";

/** Which paths there are, and by which methods. */

test("three prefixes lead to one path, with and without a trailing slash", async (t) => {
  const { send, calls } = await startServer(t);
  for (const prefix of ["/container-station/api/v1", "/containerstation/api/v1", "/api/v1"]) {
    for (const path of ["/background", "/background/", "/background/?category=create", "/background?category=create"]) {
      const answer = await send(prefix + path);
      assert.equal(answer.status, 200, prefix + path);
      const category = path.includes("?") ? "create" : undefined;
      assert.deepEqual(calls.pop()?.args[0], { category, before: undefined });
    }
  }
});

test("a prefix counts only as a whole", async (t) => {
  assert.equal(canonicalPath("/container-station/api/v1"), "/api/v1");
  assert.equal(canonicalPath("/container-station/api/v1?a=b"), "/api/v1?a=b");
  assert.equal(canonicalPath("/container-station/api/v10/login"), "/container-station/api/v10/login");
  assert.equal(canonicalPath("/container-station/healthz"), "/container-station/healthz");
  const { send } = await startServer(t);
  for (const path of [
    "/",
    "/container-station/",
    "/container-station/healthz",
    "/api/v2/background",
    "/api/v1/backgrounds",
  ]) {
    const answer = await send(path);
    assert.equal(answer.status, 404, path);
    assert.equal(answer.json.error.code, 404);
  }
});

test("a method that a path does not have is 405 with the ones it has", async (t) => {
  const { send } = await startServer(t);
  const answer = await send("/container-station/api/v1/background/?x=1", { method: "PATCH", body: "{" });
  assert.equal(answer.status, 405);
  assert.equal(answer.headers.allow, "GET, DELETE");
  assert.equal((await send("/api/v1/background/5", { method: "PATCH" })).headers.allow, "GET, POST, DELETE");
  assert.equal((await send("/api/v1/container/docker/web/", { method: "PATCH" })).headers.allow, "GET, DELETE");
  assert.equal((await send("/api/v1/container/docker/web/autostart/on")).headers.allow, "PUT");
  assert.equal((await send("/nowhere", { method: "POST", body: "{" })).status, 404);
  for (const method of ["TRACE", "OPTIONS", "PROPFIND"]) {
    const { status, headers } = await send("/api/v1/login", { method });
    assert.equal(status, 405, method);
    assert.ok(!Object.keys(headers).some((name) => name.startsWith("access-control")));
  }
});

test("a path that this version does not have is 404, also where a name could stand in its place", async (t) => {
  const { send, calls } = await startServer(t);
  for (const [method, path] of [
    ["GET", "/registry/ping"],
    ["POST", "/registry/ping/"],
    ["GET", "/registry/push"],
    ["POST", "/container/import"],
    ["GET", "/users/me"],
    ["GET", "/sessions/current"],
    ["GET", "/import/config"],
  ] as const) {
    const { status, headers, json } = await send(`/api/v1${path}`, { method });
    assert.deepEqual([status, headers.allow, json.error.code], [404, undefined, 404], path);
  }
  assert.equal(calls.length, 0);
});

test("HEAD answers as GET without a body", async (t) => {
  const { send } = await startServer(t);
  const { status, text, headers } = await send("/api/v1/background", { method: "HEAD" });
  assert.deepEqual([status, text], [200, ""]);
  assert.equal(Number(headers["content-length"]), JSON.stringify([task], null, 2).length);
});

test("healthz is open and outside the prefixes", async (t) => {
  const { send } = await startServer(t);
  assert.deepEqual((await send("/healthz")).json, { status: "ok", engines: [{ type: "docker", available: true }] });
});

test("the API describes itself", async (t) => {
  const { send } = await startServer(t);
  const { status, json } = await send("/openapi.json");
  assert.equal(status, 200);
  assert.equal(json.openapi, "3.1.0");
  assert.equal(json.info.version, "1.2.3");
  const paths = Object.keys(json.paths);
  for (const path of [
    "/api/v1/login",
    "/api/v1/background/create",
    "/api/v1/background/{target}",
    "/api/v1/event/stream",
  ]) {
    assert.ok(paths.includes(path), path);
  }
  const body = json.paths["/api/v1/background/create"].post.requestBody.content["application/json"].schema;
  assert.deepEqual(body.required.toSorted(), ["image", "name", "repository", "tag", "type"]);
  assert.deepEqual((await send("/openapi.json")).json, json);
});
