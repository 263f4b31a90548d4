import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { AppError, errorCodes } from "../../src/errors.ts";
import { statusOf } from "../../src/http/errors.ts";
import { canonicalPath } from "../../src/http/paths.ts";
import { startServer } from "./harness.ts";
import { task } from "./stub-services.ts";

const create = { type: "docker", repository: "dockerhub", name: "dtest", image: "ubuntu", tag: "latest" };

test("three prefixes lead to one path, with and without a trailing slash", async (t) => {
  const { send, calls } = await startServer(t);
  for (const prefix of ["/container-station/api/v1", "/containerstation/api/v1", "/api/v1"]) {
    for (const path of ["/background", "/background/", "/background/?category=create", "/background?category=create"]) {
      const answer = await send(prefix + path);
      assert.equal(answer.status, 200, prefix + path);
      const category = path.includes("?") ? "create" : undefined;
      assert.deepEqual(calls.pop()?.args, [{ category, limit: undefined, before: undefined }]);
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

test("an answer is JSON with two spaces that nobody stores or guesses about", async (t) => {
  const { send } = await startServer(t);
  const answer = await send("/api/v1/background");
  assert.equal(answer.status, 200);
  assert.equal(answer.text, JSON.stringify([task], null, 2));
  assert.match(answer.headers["content-type"]!, /^application\/json/);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["x-content-type-options"], "nosniff");
});

test("an error has its key at the position that clients look for", async (t) => {
  const { send } = await startServer(t);
  for (const path of ["/nowhere", "/api/v1/background?limit=x", "/api/v1/registry/%zz"]) {
    const { text, headers } = await send(path);
    assert.equal(text.indexOf('"error"'), 4, path);
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["x-content-type-options"], "nosniff");
  }
});

test("every code of the station has its status", async (t) => {
  const { send, answer, logged } = await startServer(t);
  const expected: Record<string, number> = {
    invalid: 400,
    unauthenticated: 401,
    forbidden: 403,
    not_found: 404,
    conflict: 409,
    misdirected: 421,
    too_large: 413,
    unsupported_media: 415,
    key_reused: 422,
    too_many: 429,
    cancelled: 409,
    unsupported: 501,
    remote_failed: 502,
    engine_unavailable: 503,
    engine_failed: 502,
    timeout: 504,
    disk_full: 507,
    internal: 500,
  };
  for (const code of errorCodes) {
    answer("background.list", () =>
      Promise.reject(new AppError(code, "It is so.", { details: { field: "a", code: 1, message: 2 } })),
    );
    const { status, json } = await send("/api/v1/background");
    assert.equal(status, expected[code], code);
    assert.equal(statusOf(new AppError(code, "")), expected[code]);
    assert.deepEqual(json, { error: { code: status, message: "It is so.", field: "a" } });
  }
  assert.equal(logged.length, 1, "only what is the station's own fault is logged");
});

test("an unexpected error is logged once with its cause, and not shown", async (t) => {
  const { send, answer, logged } = await startServer(t);
  const cause = new Error("secret detail");
  answer("background.list", () => Promise.reject(cause));
  const { status, text } = await send("/api/v1/background?sid=marker");
  assert.equal(status, 500);
  assert.ok(!text.includes("secret") && !text.includes("at "), text);
  assert.equal(logged.length, 1);
  assert.equal(logged[0]![1]["error"], cause);
  assert.ok(!JSON.stringify(logged).includes("marker"), "the query is not logged");
});

test("a caller over a limit is told when to come back", async (t) => {
  const { send, answer } = await startServer(t);
  answer("sessions.login", () =>
    Promise.reject(new AppError("too_many", "Too many tries.", { details: { retryAfter: 2.5 } })),
  );
  const { status, headers } = await send("/api/v1/login", { body: '{"username":"a","password":"b"}' });
  assert.equal(status, 429);
  assert.equal(headers["retry-after"], "3");
});

test("a method that a path does not have is 405 with the ones it has", async (t) => {
  const { send } = await startServer(t);
  const answer = await send("/container-station/api/v1/background/?x=1", { method: "PATCH", body: "{" });
  assert.equal(answer.status, 405);
  assert.equal(answer.headers.allow, "GET, DELETE");
  assert.equal((await send("/api/v1/background/5")).headers.allow, "POST, DELETE");
  assert.equal((await send("/nowhere", { method: "POST", body: "{" })).status, 404);
  for (const method of ["TRACE", "OPTIONS", "PROPFIND"]) {
    const { status, headers } = await send("/api/v1/login", { method });
    assert.equal(status, 405, method);
    assert.ok(!Object.keys(headers).some((name) => name.startsWith("access-control")));
  }
});

test("HEAD answers as GET without a body", async (t) => {
  const { send } = await startServer(t);
  const { status, text, headers } = await send("/api/v1/background", { method: "HEAD" });
  assert.deepEqual([status, text], [200, ""]);
  assert.equal(Number(headers["content-length"]), JSON.stringify([task], null, 2).length);
});

test("each route calls its service with what was sent", async (t) => {
  const { send, calls } = await startServer(t);
  const json = (value: unknown) => ({ body: JSON.stringify(value) });
  const registry = { method: "add", name: "my reg", url: "https://r", enableTrustCert: true };
  const image = { type: "docker", repository: "dockerhub", image: "ubuntu", tag: "latest" };
  const item = { type: "docker", image: "busybox", tag: "latest", id: "fake_id" };
  const cases: [string, Parameters<typeof send>[1], string, unknown[]][] = [
    ["background/create", json(create), "background.add", ["create", create, {}]],
    ["background/image_download", json(image), "background.add", ["image_download", image, {}]],
    ["background/image_pull", json(image), "background.add", ["image_download", image, {}]],
    ["background/image_remove", json([item]), "background.add", ["image_remove", [item], {}]],
    ["background/image_remove", json(item), "background.add", ["image_remove", item, {}]],
    ["background?limit=10&before=77&sid=x", {}, "background.list", [{ category: undefined, limit: 10, before: 77 }]],
    ["background", { method: "DELETE" }, "background.remove", [undefined]],
    ["background/17", { method: "DELETE" }, "background.remove", ["17"]],
    ["background/image_remove/", { method: "DELETE" }, "background.remove", ["image_remove"]],
    ["registry", {}, "registries.list", []],
    ["registry", json(registry), "registries.save", [registry]],
    ["registry/my%20reg", { method: "DELETE" }, "registries.remove", ["my reg"]],
    ["registry", { method: "DELETE", body: '{"name":"my reg"}' }, "registries.remove", ["my reg"]],
    ["login_refresh", {}, "sessions.refresh", []],
    [
      "logout",
      { method: "PUT", headers: { "content-type": "application/json", "content-length": "0" } },
      "sessions.logout",
      [],
    ],
  ];
  for (const [path, options, method, args] of cases) {
    const { status, text } = await send(`/api/v1/${path}`, options);
    assert.equal(status, 200, `${path}: ${text}`);
    const { caller, ...call } = calls.pop()!;
    assert.deepEqual(call, { method, args });
    assert.equal(caller.address, "127.0.0.1");
  }
});

test("each verb of a container calls its service with what was sent", async (t) => {
  const { send, calls } = await startServer(t);
  const place = { type: "docker", id: "web" };
  const put = { method: "PUT", headers: { "content-type": "application/json", "content-length": "0" } };
  const post = (value?: unknown) => ({ method: "POST", ...(value !== undefined && { body: JSON.stringify(value) }) });
  const remove = (removeVolumes: boolean, force: boolean) => [place, { removeVolumes, force }];
  const { repository: _, ...short } = create;
  const cases: [string, Parameters<typeof send>[1], string, unknown[]][] = [
    ["container/", post(short), "lifecycle.create", [short, {}]],
    ["container/docker/web/start", put, "lifecycle.start", [place]],
    ["container/docker/web/stop", put, "lifecycle.stop", [place, { grace: undefined }]],
    ["container/docker/web/stop?timeout=0&sid=x", put, "lifecycle.stop", [place, { grace: 0 }]],
    ["container/docker/web/restart/?timeout=60", put, "lifecycle.restart", [place, { grace: 60 }]],
    ["container/docker/web/pause", post(), "lifecycle.pause", [place]],
    ["container/docker/web/unpause", post(), "lifecycle.unpause", [place]],
    ["container/docker/web/rename", post({ name: "app" }), "lifecycle.rename", [place, { name: "app" }]],
    ["container/docker/web/autostart/on", put, "lifecycle.setAutostart", [place, { on: true }]],
    ["container/docker/web/autostart/off/", put, "lifecycle.setAutostart", [place, { on: false }]],
    ["container/docker/web/all", {}, "lifecycle.settings", [place]],
    ["container/docker/web/commit", post({ repository: "a" }), "lifecycle.commit", [place, { repository: "a" }]],
    ["container/docker/web", { method: "DELETE" }, "lifecycle.remove", remove(false, false)],
    ["container/docker/web?remove_volumes=true", { method: "DELETE" }, "lifecycle.remove", remove(true, false)],
    [
      "container/docker/web?remove_volumes=False&force=1",
      { method: "DELETE" },
      "lifecycle.remove",
      remove(false, true),
    ],
    ["container/docker/web/inspect", {}, "inside.inspect", [place]],
    ["container/docker/web/logs?tail=1000", {}, "inside.logs", [place, { tail: 1000 }]],
    ["container/docker/web/exec", post({ command: ["ls"] }), "inside.exec", [place, { command: ["ls"] }]],
  ];
  for (const [path, options, method, args] of cases) {
    const { status, text } = await send(`/api/v1/${path}`, options);
    assert.equal(status, 200, `${path}: ${text}`);
    const call = calls.pop()!;
    // A signal goes along where the client may hang up.
    const sent = JSON.parse(JSON.stringify(call.args.filter((arg) => !(arg instanceof AbortSignal)))) as unknown[];
    if (method === "lifecycle.create") delete (sent[1] as { signal?: unknown }).signal;
    assert.deepEqual([call.method, sent], [method, JSON.parse(JSON.stringify(args))], path);
  }
});

test("a text is an answer in JSON too", async (t) => {
  const { send, answer } = await startServer(t);
  answer("inside.logs", () => "line\r\n\u0007");
  const { text, headers, json } = await send("/api/v1/container/lxd/web/logs");
  assert.equal(text, '"line\\r\\n\\u0007"');
  assert.match(String(headers["content-type"]), /^application\/json/);
  assert.equal(json, "line\r\n\u0007");
});

test("who hangs up is told to the service", async (t) => {
  const { answer, open } = await startServer(t);
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  answer("lifecycle.start", (_caller: unknown, _place: unknown, signal: AbortSignal) => {
    signal.addEventListener("abort", () => resolve());
    begun.resolve();
    return hungUp;
  });
  const socket = open();
  socket.write("PUT /api/v1/container/docker/web/start HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  await begun.promise;
  socket.destroy();
  await hungUp;
});

test("a category of another version is refused by the service, whatever the body", async (t) => {
  const { send, calls } = await startServer(t);
  for (const body of ['{"a":1}', "a=b", "", "[]"]) {
    const { status, json } = await send("/api/v1/background/application", { method: "POST", body });
    assert.equal(status, 501);
    assert.match(json.error.message, /application/);
    assert.deepEqual(calls.pop()?.args, ["application"]);
  }
});

test("an idempotency key is 1 to 255 printable characters", async (t) => {
  const { send, calls } = await startServer(t);
  const body = JSON.stringify(create);
  for (const key of ["a", "x".repeat(255), "a b~!"]) {
    assert.equal((await send("/api/v1/background/create", { body, headers: { "idempotency-key": key } })).status, 200);
    assert.deepEqual(calls.pop()?.args[2], { idempotencyKey: key });
  }
  for (const key of ["", "x".repeat(256), "caf\u00e9", "a\tb"]) {
    const { status, json } = await send("/api/v1/background/create", { body, headers: { "idempotency-key": key } });
    assert.deepEqual([status, json.error.field], [400, "Idempotency-Key"], JSON.stringify(key));
  }
  assert.equal(calls.length, 0);
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

test("close lets a request under way finish and is quick about idle connections", async (t) => {
  const { send, close, answer, open } = await startServer(t);
  const idle = open();
  idle.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  await new Promise((resolve) => idle.once("data", resolve));
  const started = Promise.withResolvers<void>();
  answer("background.list", async () => {
    started.resolve();
    await setTimeout(150);
    return [];
  });
  const underWay = send("/api/v1/background", { headers: { connection: "keep-alive" } });
  await started.promise;
  const begin = performance.now();
  await close();
  assert.equal((await underWay).status, 200);
  assert.ok(performance.now() - begin < 1_000);
});
