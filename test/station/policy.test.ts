import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { listContainers } from "../support/docker-cli.ts";
import { adminPassword, startStation, type TestStation } from "../support/station.ts";

/**
 * Every route of the API against everybody who may not use it. A route without a row here fails; a request is one that
 * would do something, so that a refusal that comes too late shows.
 */
interface Row {
  /** What is sent, where it is not the route's own path. */
  path?: string;
  body?: unknown;
  /** For all. */
  open?: true;
  /** Every session may, whatever its role. */
  everyRole?: true;
}

const image = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };
const registry = { method: "add", name: "policy", url: "https://policy.example.com", enableTrustCert: false };

const table: Record<string, Row> = {
  "POST /login": { open: true, body: { username: "admin", password: "wrong password" } },
  "GET /healthz": { open: true },
  "GET /login_refresh": { everyRole: true },
  "PUT /logout": { everyRole: true },
  "GET /background": {},
  "DELETE /background": {},
  "DELETE /background/{target}": { path: "/background/1" },
  "POST /background/create": { body: { ...image, name: "policy" } },
  "POST /background/image_download": { body: image },
  "POST /background/image_pull": { body: image },
  "POST /background/image_remove": { body: { type: "docker", image: "busybox", tag: "latest", id: "0123456789ab" } },
  "POST /background/{category}": { path: "/background/image_push", body: {} },
  "POST /container": { body: { ...image, name: "policy" } },
  "PUT /container/{type}/{id}/start": { path: "/container/docker/kept/start" },
  "PUT /container/{type}/{id}/stop": { path: "/container/docker/kept/stop" },
  "PUT /container/{type}/{id}/restart": { path: "/container/docker/kept/restart" },
  "POST /container/{type}/{id}/pause": { path: "/container/docker/kept/pause" },
  "POST /container/{type}/{id}/unpause": { path: "/container/docker/kept/unpause" },
  "POST /container/{type}/{id}/rename": { path: "/container/docker/kept/rename", body: { name: "lost" } },
  "DELETE /container/{type}/{id}": { path: "/container/docker/kept" },
  "POST /container/{type}/{id}/commit": { path: "/container/docker/kept/commit", body: { repository: "policy" } },
  "GET /container/{type}/{id}/all": { path: "/container/docker/kept/all" },
  "PUT /container/{type}/{id}/autostart/{state}": { path: "/container/docker/kept/autostart/on" },
  "GET /container/{type}/{id}/inspect": { path: "/container/docker/kept/inspect" },
  "GET /container/{type}/{id}/logs": { path: "/container/docker/kept/logs" },
  "POST /container/{type}/{id}/exec": { path: "/container/docker/kept/exec", body: { command: ["true"] } },
  "GET /container": {},
  "GET /container/{name}": { path: "/container/kept" },
  "GET /container/{type}/{id}": { path: "/container/docker/kept" },
  "GET /container/{type}/getid/{id}": { path: "/container/docker/getid/kept" },
  "GET /registry": {},
  "POST /registry": { body: registry },
  "DELETE /registry": { body: { name: "kept" } },
  "DELETE /registry/{name}": { path: "/registry/kept" },
  "GET /event": {},
  "GET /event/stream": {},
  "GET /system": { everyRole: true },
  "GET /system/resource": { everyRole: true },
  "GET /system/port/{protocol}/{port}": { path: "/system/port/tcp/80", everyRole: true },
  "GET /system/bridge": { everyRole: true },
  "GET /system/report": {},
  "GET /tls": {},
  "POST /tls": { body: { outdatedNotify: false } },
  "GET /tls/domain_names": {},
  "PUT /tls/domain_names": { body: { domain_names: "policy.example" } },
  "GET /tls/export": {},
  "GET /tls/export/registry": {},
  "POST /tls/rotation": {},
  "GET /event/wait/{type}/{id}/{state}": { path: "/event/wait/docker/kept/running" },
};

const strangers: [who: string, headers: Record<string, string>, query: string][] = [
  ["nobody", {}, ""],
  ["an unknown cookie", { cookie: "CS_SESS_ID=garbage" }, ""],
  ["an unknown bearer", { authorization: "Bearer garbage" }, ""],
  ["an unknown sid", {}, "?sid=garbage"],
  ["an empty cookie", { cookie: "CS_SESS_ID=" }, ""],
  ["a prototype's key", { cookie: "CS_SESS_ID=__proto__" }, ""],
  ["8,000 characters", { cookie: `CS_SESS_ID=${"x".repeat(8000)}` }, ""],
  [
    "who says he is local",
    { "x-forwarded-for": "127.0.0.1", "x-original-url": "/healthz", "x-http-method-override": "GET" },
    "",
  ],
];

let station: TestStation;
let viewer = "";

before(async () => {
  station = await startStation({ flags: ["--heavy", "0", "--quick", "0"] });
  await station.client.ok("POST", "/registry", { ...registry, name: "kept" });
  await station.client.add("image_download", image);
  // There is no way yet to make a user but this one.
  await station.stop();
  const db = new DatabaseSync(join(station.dataDir, "gantry.db"));
  db.exec(
    "INSERT INTO user (name, role, password_hash) SELECT role.name, role.name, password_hash FROM user, (SELECT 'viewer' AS name UNION SELECT 'operator') AS role",
  );
  db.close();
  await station.start();
  viewer = await loggedIn("viewer");
});
after(() => station.close());

async function loggedIn(username: string): Promise<string> {
  const answer = await send("POST", "/login", { body: { username, password: adminPassword } });
  assert.equal(answer.status, 200);
  return answer.headers.get("set-cookie")?.split(";")[0] ?? "";
}

interface Sent {
  body?: unknown;
  headers?: Record<string, string>;
}

async function send(method: string, path: string, { body, headers = {} }: Sent): Promise<Response> {
  const base = path === "/healthz" || path === "/openapi.json" ? station.url : `${station.url}/api/v1`;
  const response = await fetch(`${base}${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  // A stream that is opened by mistake must not hold the test.
  if (response.headers.get("content-type")?.startsWith("text/event-stream")) await response.body?.cancel();
  return response;
}

async function state(): Promise<unknown> {
  const { client } = station;
  return {
    tasks: await client.tasks(),
    registries: await client.ok("GET", "/registry"),
    certificates: [await client.ok("GET", "/tls/domain_names"), readlinkSync(join(station.dataDir, "tls/current"))],
    containers: await listContainers(),
  };
}

test("the table has every route, and none that is gone", async () => {
  const response = await send("GET", "/openapi.json", { headers: { cookie: station.client.cookie() } });
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, unknown>> };
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(
      (method) => `${method.toUpperCase()} ${path.replace(/^\/api\/v1/, "").replace(/(.)\/$/, "$1")}`,
    ),
  );
  assert.ok(routes.length > 10);
  assert.deepEqual(routes.toSorted(), Object.keys(table).toSorted());
});

for (const [who, headers, query] of strangers) {
  test(`without a session (${who}): 401, and nothing happens`, async () => {
    const before = await state();
    for (const [route, { path, body, open }] of Object.entries(table)) {
      const [method = "", own = ""] = route.split(" ");
      const response = await send(method, `${path ?? own}${own === "/login" || own === "/healthz" ? "" : query}`, {
        body,
        headers,
      });
      const text = await response.text().catch(() => "");
      if (open) {
        assert.equal(response.status, own === "/login" ? 401 : 200, route);
        continue;
      }
      assert.equal(response.status, 401, `${route}: ${text}`);
      const { error } = JSON.parse(text) as { error: { code: number; message: string } };
      assert.deepEqual(error, { code: 401, message: "There is no session, or it has expired: log in first." }, route);
      assert.equal(response.headers.get("set-cookie"), null, route);
    }
    assert.deepEqual(await state(), before);
  });
}

for (const role of ["operator", "viewer"]) {
  test(`as ${role}, who may do nothing yet: 403, and nothing happens`, async () => {
    const before = await state();
    const cookie = role === "viewer" ? viewer : await loggedIn(role);
    for (const [route, { path, body, open, everyRole }] of Object.entries(table)) {
      if (open || everyRole) continue;
      const [method = "", own = ""] = route.split(" ");
      const response = await send(method, path ?? own, { body, headers: { cookie } });
      // What nobody can do is not decided by the role.
      const expected = own === "/background/{category}" ? 501 : 403;
      assert.equal(response.status, expected, `${route}: ${await response.text().catch(() => "")}`);
    }
    assert.equal((await send("GET", "/login_refresh", { headers: { cookie } })).status, 200);
    assert.equal((await send("PUT", "/logout", { headers: { cookie } })).status, 200);
    assert.equal((await send("GET", "/login_refresh", { headers: { cookie } })).status, 401);
    assert.deepEqual(await state(), before);
  });
}

test("a task whose user was removed meanwhile is not carried out", async () => {
  const held = await startStation({ flags: ["--heavy", "0"] });
  try {
    const { id } = await held.client.add("image_download", image);
    const create = await held.client.add("create", { ...image, name: "policy" });
    await held.stop();
    const db = new DatabaseSync(join(held.dataDir, "gantry.db"));
    db.exec(`UPDATE task SET user = CASE id WHEN ${id} THEN 'gone' ELSE 'weak' END, lane = 'quick'`);
    db.exec("INSERT INTO user (name, role, password_hash) VALUES ('weak', 'viewer', '')");
    db.close();
    await held.start();
    assert.match(String((await held.client.ended(id)).error), /The user gone no longer exists/);
    assert.match(
      String((await held.client.ended(create.id)).error),
      /weak \(viewer\) may not do this: container create/,
    );
    assert.equal(
      (await listContainers()).some(({ Names }) => Names.includes("/policy")),
      false,
    );
  } finally {
    await held.close();
  }
});
