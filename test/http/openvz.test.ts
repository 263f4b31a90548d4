import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { AppError } from "../../src/errors.ts";
import { startServer, type Harness } from "./harness.ts";

const id = "54e21881-8620-4bb0-95f1-05f143973a6e";
const name = { name: "ct100", ostemplate: "template1" };
const json = (value: unknown) => ({ body: JSON.stringify(value) });

test("any version leads to one path, with and without a trailing slash; what is no version does not", async (t) => {
  const { send, calls } = await startServer(t);
  for (const version of ["v0.1", "v0", "v1", "v2.0", "v10.22"]) {
    for (const path of [`/${version}/containers/`, `/${version}/containers`]) {
      assert.equal((await send(path)).status, 200, path);
      assert.equal(calls.pop()?.method, "openvz.list");
      assert.equal((await send(path, json(name))).status, 202, path);
      assert.deepEqual(calls.pop()?.args, [name]);
    }
    const more = { ...name, more: "b" };
    assert.equal((await send(`/${version}/containers/`, json(more))).status, 202);
    assert.deepEqual(calls.pop()?.args, [more], "what is not known is for the service to name");
    assert.equal((await send(`/${version}/jobs/${id}/`)).status, 200);
    assert.deepEqual(calls.pop()?.args, [id]);
  }
  for (const path of ["/0.1/containers", "/v/containers", "/v0.1.2/containers", "/vX/containers", "/v0.1x/jobs/1"]) {
    const answer = await send(path);
    assert.equal(answer.status, 404, path);
    assert.equal(answer.json.error.code, 404, "it is not below that API's paths");
  }
});

test("each verb has its path and status", async (t) => {
  const { send, calls } = await startServer(t);
  const at = `/v0.1/containers/${id}`;
  const update = { parameters: { hostname: "a" } };
  const asked: [string, string, number, string, string?][] = [
    ["GET", at, 200, "openvz.get"],
    ["PATCH", at, 200, "openvz.update", JSON.stringify(update)],
    ["DELETE", at, 202, "openvz.remove"],
    ["POST", `${at}/start`, 202, "openvz.start"],
    ["POST", `${at}/stop`, 202, "openvz.stop"],
    ["POST", `${at}/restart`, 202, "openvz.restart"],
    ["GET", "/v0.1/jobs/", 200, "openvz.listJobs"],
  ];
  for (const [method, path, status, called, body] of asked) {
    assert.equal((await send(path, { method, ...(body !== undefined && { body }) })).status, status, path);
    assert.equal(calls.pop()?.method, called);
  }
});

async function assertOwnShape(harness: Harness, asked: readonly [string, string, number, string?][]): Promise<void> {
  for (const [method, path, status, body] of asked) {
    const answer = await harness.send(path, { method, ...(body !== undefined && { body }) });
    const where = `${method} ${path} ${body ?? ""}: ${answer.text}`;
    assert.equal(answer.status, status, where);
    assert.deepEqual(Object.keys(answer.json), ["code", "message"], where);
    assert.equal(answer.json.code, status < 500 ? 100 : 200, where);
    assert.equal(typeof answer.json.message, "string", where);
  }
}

test("every error below its paths has its own shape", async (t: TestContext) => {
  const harness = await startServer(t);
  const at = `/v0.1/containers/${id}`;
  await assertOwnShape(harness, [
    ["GET", "/v0.1/containers/a/b/c", 404],
    ["GET", "/v0.1/jobs/a/b", 404],
    ["PUT", at, 405],
    ["POST", "/v0.1/containers/", 400],
    ["POST", "/v0.1/containers/", 400, "{"],
    ["POST", "/v0.1/containers/", 400, "[]"],
    ["POST", "/v0.1/containers/", 400, '{"name": 1, "ostemplate": "a"}'],
    ["POST", "/v0.1/containers/", 400, '{"name": "../ct", "ostemplate": "a"}'],
    ["POST", "/v0.1/containers/", 413, `{"name": "${"x".repeat(1 << 20)}"}`],
    ["PATCH", at, 400, '{"parameters": {"cpus": 2}}'],
    ["PATCH", at, 400, '{"parameters": {"colour": "red"}}'],
    ["PATCH", at, 400, '{"parameters": null}'],
    ["PATCH", at, 400, "{}"],
  ]);
  const message = async (body: string) => (await harness.send("/v0.1/containers/", { body })).json.message;
  assert.equal(await message('{"ostemplate": "a"}'), "name is missing or empty");
  assert.equal(await message('{"name": "", "ostemplate": "a"}'), "name is missing or empty");
  assert.equal(await message('{"name": "ct"}'), "ostemplate is missing or empty");
  assert.deepEqual(harness.calls, [], "nothing of it came to the services");
  const foreign = await harness.send("/v0.1/containers/", {
    ...json(name),
    headers: { origin: "http://evil.example" },
  });
  assert.deepEqual([foreign.status, foreign.json.code], [403, 100]);
  const named = await harness.send("/v0.1/containers/", { headers: { host: "evil.example" } });
  assert.deepEqual([named.status, named.json.code], [421, 100]);
});

test("a failure of the services has the status and code that are documented", async (t: TestContext) => {
  const harness = await startServer(t);
  const failures: [AppError | Error, number][] = [
    [new AppError("not_found", "no such container"), 404],
    [new AppError("conflict", "taken", { details: { field: "name" } }), 422],
    [new AppError("conflict", "busy"), 409],
    [new AppError("unauthenticated", "log in first"), 401],
    [new AppError("engine_unavailable", "away"), 503],
    [new AppError("disk_full", "full"), 507],
    [new Error("a fault"), 500],
  ];
  for (const [error, status] of failures) {
    harness.answer("openvz.list", () => {
      throw error;
    });
    await assertOwnShape(harness, [["GET", "/v0.1/containers/", status]]);
  }
});
