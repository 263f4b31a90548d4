import assert from "node:assert/strict";
import { hostname } from "node:os";
import { after, before, test } from "node:test";
import { adminPassword } from "../support/station.ts";
import { table } from "../station/role-table.ts";
import { openWorld, type World } from "./sender.ts";

let world: World;
let own: string;
before(async () => {
  world = await openWorld({ flags: ["--heavy", "0", "--quick", "0", "--host-name", "Gantry.Example.com"] });
  own = new URL(world.station.url).host;
});
after(() => world.station.close());

/** What a browser sends for a page of another site: newer ones, and older ones. */
const foreign: Record<string, string>[] = [
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" },
  { origin: "https://evil.example" },
  { origin: "null" },
];
const types = [
  "application/x-www-form-urlencoded",
  "text/plain",
  "multipart/form-data; boundary=x",
  "application/json",
  "",
];

const changing = Object.entries(table).filter(([route]) => !route.startsWith("GET "));
const acting = ["GET /event/stream", "GET /cgi-bin/authLogin.cgi"].map((route) => [route, table[route]] as const);

async function state(): Promise<unknown> {
  const { client } = world.station;
  return Promise.all(["/background", "/registry", "/users", "/tokens"].map((path) => client.ok("GET", path)));
}

test("CS-01, CS-02: no changing route takes anything from another site's page, whatever its body's type", async (context) => {
  const before = await state();
  let sent = 0;
  for (const headers of foreign) {
    for (const type of types) {
      for (const [route, row] of [...changing, ...acting]) {
        const [method = "", path = ""] = route.split(" ");
        const typed = type === "" ? headers : { ...headers, "content-type": type };
        const body = row?.body?.("admin");
        const { status, headers: answered } = await world.send(method, row?.path ?? path, {
          sid: world.admin,
          headers: typed,
          ...(body !== undefined && method !== "GET" && { body }),
        });
        sent++;
        assert.equal(status, 403, `${route} ${JSON.stringify(typed)}`);
        assert.equal(answered["set-cookie"], undefined);
      }
    }
  }
  assert.deepEqual(await state(), before);
  assert.equal((await world.send("GET", "/login_refresh", { sid: world.admin })).status, 200, "no logout either");
  context.diagnostic(`${changing.length + acting.length} routes, ${sent} requests`);
});

test("CS-03: no page of another site logs its visitor in; the station's own page and programs do", async () => {
  const body = `username=admin&password=${adminPassword}`;
  for (const headers of foreign) assert.equal((await world.send("POST", "/login", { body, headers })).status, 403);
  for (const headers of [{}, { origin: `http://${own}` }, { "sec-fetch-site": "same-origin", origin: `http://${own}` }])
    assert.equal((await world.send("POST", "/login", { body, headers })).status, 200);
});

test("CS-05: reading changes nothing, and what a GET does is refused to other sites", async () => {
  const before = await state();
  for (const route of Object.keys(table).filter((one) => one.startsWith("GET "))) {
    const path = route.slice(4);
    await world.send("HEAD", path, { sid: world.admin });
    await world.send("GET", path, { sid: world.admin });
  }
  for (const [route, { path }] of changing) {
    const [, own = ""] = route.split(" ");
    const { status } = await world.send("GET", path ?? own, { sid: world.admin });
    assert.ok([200, 400, 404, 405].includes(status), `${route}: ${status}`);
  }
  assert.deepEqual(await state(), before);
  const page = `/cgi-bin/authLogin.cgi?user=admin&plain_pwd=${encodeURIComponent(adminPassword)}`;
  for (const headers of foreign) {
    const { status, text } = await world.send("GET", page, { headers });
    assert.equal(status, 403);
    assert.equal(text.includes("authSid"), false);
  }
});

test("CS-06: only the host's own names and addresses lead to the station", async () => {
  const port = own.split(":")[1];
  const strange = [
    "evil.com",
    `evil.com:${port}`,
    "127.0.0.1.evil.com",
    "localhost.evil.com",
    "",
    "a@127.0.0.1",
    "gantry.example.com.evil.com",
    "127.0.0.1#.evil.com",
  ];
  for (const host of strange) {
    for (const path of ["/background", "/healthz", "/login_refresh"]) {
      const { status } = await world.send("GET", path, { sid: world.admin, headers: { host } });
      assert.ok(status === 421 || status === 400, `${host}: ${status}`);
    }
    const body = { username: "admin", password: adminPassword };
    const { status } = await world.send("POST", "/login", { body, headers: { host, origin: `http://${host}` } });
    assert.ok(status === 421 || status === 400, `${host}: ${status}`);
  }
  const known = [
    "127.0.0.1",
    own,
    "localhost",
    "LOCALHOST.",
    `localhost:${port}`,
    "[::1]",
    "192.168.1.5:8080",
    "10.0.0.1",
    hostname(),
    `${hostname()}:99`,
    "gantry.example.com",
    "GANTRY.example.com:443",
  ];
  for (const host of known)
    assert.equal((await world.send("GET", "/background", { sid: world.admin, headers: { host } })).status, 200, host);
});

test("CS-07: no answer lets another origin read it", async () => {
  for (const method of ["GET", "OPTIONS", "POST"]) {
    for (const path of ["/background", "/login", "/healthz", "/nowhere"]) {
      const { headers } = await world.send(method, path, {
        sid: world.admin,
        headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
      });
      assert.equal(
        Object.keys(headers).some((name) => name.startsWith("access-control")),
        false,
      );
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["x-content-type-options"], "nosniff");
    }
  }
});

test("a WebSocket of another site, and one without an Origin that is no program's, are refused before anything", async () => {
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  };
  const token = (await world.send("POST", "/tokens", { sid: world.admin, body: { name: "ws" } })).json.token as string;
  for (const headers of [...foreign, {}]) {
    const { status } = await world.send("GET", "/event/stream", {
      sid: world.admin,
      headers: { ...upgrade, ...headers },
    });
    assert.equal(status, 403, JSON.stringify(headers));
  }
  assert.equal((await world.send("GET", "/background", { token, headers: upgrade })).status, 200);
  const page = { ...upgrade, origin: `http://${own}` };
  assert.equal((await world.send("GET", "/background", { sid: world.admin, headers: page })).status, 200);
});

test("what the HTTP layer refuses is in the log, once for a flood of it", async () => {
  for (let i = 0; i < 30; i++)
    await world.send("DELETE", "/background/1", { headers: { origin: "https://evil.example" }, from: "127.44.0.1" });
  const { json } = await world.send("GET", "/log?limit=9999", { sid: world.admin });
  const rows = (json as { address: string; target: string; result: string; message: string }[]).filter(
    ({ address }) => address === "127.44.0.1",
  );
  assert.deepEqual(
    rows.map(({ target, result }) => [target, result]),
    [["DELETE /api/v1/background/:target", "refused"]],
  );
});
