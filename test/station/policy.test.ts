import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { routeTable } from "../../src/api/routes.ts";
import { may } from "../../src/services/access/policy.ts";
import { openWorld, userPassword, type Answer, type World } from "../attacks/sender.ts";
import { dockerApi, hasContainer, listContainers, removeContainers, removeImage } from "../support/docker-cli.ts";
import { adminPassword, startStation } from "../support/station.ts";
import { whileDown } from "../support/station-data.ts";
import { listRoutes, shortName } from "./route-list.ts";
import { table, tableRoles, type Row, type TableRole } from "./role-table.ts";

const image = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };
const registry = { method: "add", url: "https://policy.example.com", enableTrustCert: false };
const noLimits = ["--login-tries", "100000", "--login-rate", "100000"];

let world: World;
const names: Record<string, string> = {};
/** A session that has expired: its row is gone. */
let expired = "";

before(async () => {
  world = await openWorld({ flags: ["--heavy", "0", ...noLimits] });
  const { station, send, admin } = world;
  for (const name of ["kept", "kept2"]) await station.client.ok("POST", "/registry", { ...registry, name });
  await station.client.add("image_download", image);
  await world.user("viewer", "viewer");
  await world.user("operator", "operator");
  await world.user("second", "admin");
  await world.user("gone", "viewer");
  const spare = await world.user("spare", "viewer");
  expired = (await world.login("second", userPassword)).sid;
  await send("PUT", "/logout", { sid: expired });
  names["SPARE_SESSION"] = (await send("GET", "/sessions", { sid: spare })).json.find(
    (one: { current: boolean }) => one.current,
  ).id;
  names["SPARE_TOKEN"] = (await send("POST", "/tokens", { sid: spare, body: { name: "spare" } })).json.id;
  assert.notEqual(admin, "");
  names["KEPT_CONTAINER"] = await keptContainer();
});
after(async () => {
  await world.station.close();
  await removeContainers("policy-");
  await removeImage("policy-commit:latest");
});

/** A container that no task of the station made, which is running and in the list. */
async function keptContainer(): Promise<string> {
  const pulled = await startStation();
  const { id } = await pulled.client.add("image_download", image);
  await pulled.client.ended(id);
  await pulled.close();
  const body = { Image: "busybox:latest", Cmd: ["sh", "-c", "trap exit TERM; while :; do sleep 0.1; done"] };
  const { Id } = await dockerApi<{ Id: string }>("POST", "/containers/create?name=policy-kept", body);
  await dockerApi("POST", `/containers/${Id}/start`);
  const end = Date.now() + 20_000;
  for (;;) {
    const list = await world.station.client.ok<{ id: string; state: string }[]>("GET", "/container");
    if (list.some((one) => one.id === Id && one.state === "running")) return Id;
    assert.ok(Date.now() < end, "the container is not in the list");
    await sleep(50);
  }
}

function request(route: string, role: string, how: { sid?: string; headers?: Record<string, string>; query?: string }) {
  const { path, body }: Row = table[route] ?? {};
  const [method = "", own = ""] = route.split(" ");
  const filled = (path ?? own).replace(/[A-Z_]{5,}/, (name) => names[name] ?? name);
  const { query = "", ...rest } = how;
  return world.send(method, `${filled}${query}`, { ...rest, ...(body && { body: body(role) }) });
}

/** Nothing but sessions, which come and go with each request of the test. */
async function state(): Promise<unknown> {
  const { client } = world.station;
  const paths = ["/background", "/registry", "/users", "/tokens", "/tls/domain_names"];
  const lists = await Promise.all(paths.map((path) => client.ok("GET", path)));
  const certificates = readlinkSync(join(world.station.dataDir, "tls/current"));
  const containers = (await listContainers()).map(({ Id, Names, State }) => [Id, Names, State].join(" "));
  return { lists, certificates, containers };
}

test("RB-01: the table has every route, and none that is gone", () => {
  const listed = listRoutes();
  const own = listed.filter(({ method }) => method !== "HEAD").map(({ method, url }) => `${method} ${url}`);
  assert.deepEqual(own.toSorted(), Object.keys(table).toSorted());
  for (const { method, url } of listed) if (method === "HEAD") assert.ok(table[`GET ${url}`], `HEAD ${url}`);
});

test("RB-01: each role is refused exactly what the policy denies it, by the verb of the route", () => {
  for (const route of Object.values(routeTable)) {
    const { verb } = route;
    const { open, expected } = table[shortName(route)] ?? {};
    assert.equal(open !== undefined, verb === "open", shortName(route));
    for (const [index, role] of tableRoles.entries()) {
      const allowed = verb === "open" || verb === "session" || may({ name: "somebody", role }, verb);
      assert.equal(expected?.[index] === 403, !allowed, `${role}: ${shortName(route)}`);
    }
  }
});

test("AU-10: every route without a session, with garbage, and with one that is over: 401, and nothing happens", async (context) => {
  const strangers: [who: string, how: { headers?: Record<string, string>; query?: string }][] = [
    ["nobody", {}],
    ["an unknown cookie", { headers: { cookie: "CS_SESS_ID=garbage" } }],
    ["one that is over", { headers: { cookie: `CS_SESS_ID=${expired}` } }],
    ["an unknown bearer", { headers: { authorization: "Bearer garbage" } }],
    ["an unknown token", { headers: { authorization: `Bearer gantry_${"x".repeat(43)}` } }],
    ["an unknown sid", { query: "?sid=garbage" }],
    ["an empty cookie", { headers: { cookie: "CS_SESS_ID=" } }],
    ["a prototype's key", { headers: { cookie: "CS_SESS_ID=__proto__" } }],
    ["8,000 characters", { headers: { cookie: `CS_SESS_ID=${"x".repeat(8000)}` } }],
    ["who says he is local", { headers: { "x-forwarded-for": "127.0.0.1", "x-original-url": "/healthz" } }],
  ];
  const before = await state();
  let asked = 0;
  for (const [who, how] of strangers) {
    for (const [route, { open }] of Object.entries(table)) {
      const query = open === undefined ? (how.query ?? "") : "";
      const { status, text, json, headers } = await request(route, "nobody", { ...how, query });
      asked++;
      assert.equal(status, open ?? 401, `${who}: ${route}: ${text}`);
      assert.equal(headers["set-cookie"], undefined);
      if (open === undefined) assert.equal(json.error?.code ?? json.code, route.includes("/v0.1/") ? 100 : 401);
    }
    for (const { method, url } of listRoutes()) {
      if (method !== "HEAD" || table[`GET ${url}`]?.open !== undefined) continue;
      assert.equal((await world.send("HEAD", url, how)).status, 401, `${who}: HEAD ${url}`);
    }
  }
  assert.deepEqual(await state(), before);
  context.diagnostic(`${Object.keys(table).length} routes by ${strangers.length} strangers: ${asked} requests`);
});

/** As a refusal names it. */
function verbOf(route: string): string {
  return Object.values(routeTable)
    .find((one) => shortName(one) === route)!
    .verb.replace(":", " ");
}

test("RB-01: every route by every role", async (context) => {
  const counts: Record<number, number> = {};
  const check = (route: string, role: TableRole, answer: Answer) => {
    const wanted = table[route]?.open ?? table[route]?.expected?.[tableRoles.indexOf(role)];
    counts[answer.status] = (counts[answer.status] ?? 0) + 1;
    assert.equal(answer.status, wanted, `${role}: ${route}: ${answer.text}`);
    if (wanted === 403) assert.ok(answer.text.includes(`may not do this: ${verbOf(route)}`), answer.text);
  };
  const login = async (role: TableRole) => (await world.login(role === "admin" ? "second" : role, userPassword)).sid;
  const refused = (route: string, role: TableRole) => {
    const status = table[route]?.expected?.[tableRoles.indexOf(role)] ?? 0;
    return status === 403 || status === 404;
  };
  const before = await state();
  for (const role of tableRoles) {
    const sid = await login(role);
    for (const route of Object.keys(table).filter((one) => refused(one, role)))
      check(route, role, await request(route, role, { sid }));
  }
  assert.deepEqual(await state(), before, "what was refused did nothing");
  for (const role of tableRoles) {
    for (const route of Object.keys(table).filter((one) => !refused(one, role)))
      check(route, role, await request(route, role, { sid: await login(role) }));
  }
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  assert.equal(total, Object.keys(table).length * tableRoles.length);
  context.diagnostic(
    `${Object.keys(table).length} routes by ${tableRoles.length} roles: ${total} requests, ${JSON.stringify(counts)}`,
  );
});

test("RB-09: a task whose user was removed or weakened meanwhile is not carried out", async () => {
  const held = await startStation({ flags: ["--heavy", "0"] });
  try {
    const { id } = await held.client.add("image_download", image);
    const create = await held.client.add("create", { ...image, name: "policy" });
    await whileDown(held, (db) => {
      db.exec(`UPDATE task SET user = CASE id WHEN ${id} THEN 'gone' ELSE 'weak' END, lane = 'quick'`);
      db.exec("INSERT INTO user (name, role, password_hash) VALUES ('weak', 'viewer', '')");
    });
    assert.match(String((await held.client.ended(id)).error), /The user gone no longer exists/);
    assert.match(
      String((await held.client.ended(create.id)).error),
      /weak \(viewer\) may not do this: container create/,
    );
    assert.equal(await hasContainer("policy"), false);
  } finally {
    await held.close();
  }
});

test("RB-10: the last admin cannot be removed, disabled or weakened, by himself or anybody", async () => {
  const alone = await openWorld();
  const { send, admin, station } = alone;
  try {
    const last = [
      () => send("DELETE", "/users/admin", { sid: admin }),
      () => send("PUT", "/users/admin", { sid: admin, body: { disabled: true } }),
      () => send("PUT", "/users/admin", { sid: admin, body: { role: "viewer" } }),
    ];
    for (const act of last) assert.equal((await act()).status, 409);
    const second = await alone.user("second", "admin");
    // Of two that remove each other at once, one stays.
    const both = await Promise.all([
      send("DELETE", "/users/admin", { sid: second }),
      send("DELETE", "/users/second", { sid: admin }),
    ]);
    assert.equal(both.filter(({ status }) => status === 200).length, 1);
    const login = await alone.login("admin", adminPassword);
    const other = await alone.login("second", userPassword);
    assert.equal([login, other].filter(({ status }) => status === 200).length, 1);
  } finally {
    await station.close();
  }
});
