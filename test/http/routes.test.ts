import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "./harness.ts";

/** What each route passes on to its service. */
const create = { type: "docker", repository: "dockerhub", name: "dtest", image: "ubuntu", tag: "latest" };

test("each route calls its service with what was sent", async (t) => {
  const { send, calls } = await startServer(t);
  const json = (value: unknown) => ({ body: JSON.stringify(value) });
  const registry = { method: "add", name: "my reg", url: "https://r", enableTrustCert: true };
  const image = { type: "docker", repository: "dockerhub", image: "ubuntu", tag: "latest" };
  const item = { type: "docker", image: "busybox", tag: "latest", id: "fake_id" };
  const cases: [string, Parameters<typeof send>[1], string, unknown[]][] = [
    ["background/create", json(create), "background.add", ["create", create, {}]],
    ["background/image_download", json(image), "background.add", ["image_download", image, {}]],
    ["background/image_pull", json(image), "background.add", ["image_pull", image, {}]],
    ["background/image_remove", json([item]), "background.add", ["image_remove", [item], {}]],
    ["background/image_remove", json(item), "background.add", ["image_remove", item, {}]],
    ["background?limit=10&before=77&sid=x", {}, "background.page", [{ category: undefined, limit: 10, before: 77 }]],
    ["background/17", {}, "background.get", ["17"]],
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
