import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { openStream } from "../station/streams.ts";
import { adminPassword } from "../support/station.ts";
import { filesWith } from "../support/station-data.ts";
import { openWorld, userPassword, type World } from "./sender.ts";

let world: World;
let other: World;
before(async () => {
  world = await openWorld();
  other = await openWorld();
});
after(async () => {
  await world.station.close();
  await other.station.close();
});

const status = async (sid: string) => (await world.send("GET", "/login_refresh", { sid })).status;

test("SE-01: a sid that was sent along is not the one that is given", async () => {
  const chosen = "attacker".repeat(6);
  const { sid } = await world.send("POST", "/login", {
    body: { username: "admin", password: adminPassword },
    sid: chosen,
  });
  assert.notEqual(sid, chosen);
  assert.deepEqual([await status(sid), await status(chosen)], [200, 401]);
});

test("SE-02: the cookie is for no script and for no other site", async () => {
  const { headers } = await world.login("admin");
  assert.match(String(headers["set-cookie"]), /^CS_SESS_ID=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
});

test("SE-04: logout, a new password, another role, disabling and removing end every session, and its stream in 5 s", async () => {
  const ways: [way: string, end: (name: string, sid: string) => Promise<unknown>][] = [
    ["logout", (_name, sid) => world.send("PUT", "/logout", { sid })],
    [
      "password",
      (name) => world.send("PUT", `/users/${name}`, { sid: world.admin, body: { password: "another one" } }),
    ],
    ["role", (name) => world.send("PUT", `/users/${name}`, { sid: world.admin, body: { role: "operator" } })],
    ["disable", (name) => world.send("PUT", `/users/${name}`, { sid: world.admin, body: { disabled: true } })],
    ["remove", (name) => world.send("DELETE", `/users/${name}`, { sid: world.admin })],
  ];
  const began = await Promise.all(
    ways.map(async ([way, end], index) => {
      const name = `se04-${index}`;
      const sid = await world.user(name, "viewer");
      const stream = await openStream(world.station.url, `CS_SESS_ID=${sid}`);
      const token = (await world.send("POST", "/tokens", { sid, body: { name: "t" } })).json.token as string;
      return { way, end, name, sid, stream, token };
    }),
  );
  for (const { way, end, name, sid, stream, token } of began) {
    assert.equal(await status(sid), 200, way);
    await end(name, sid);
    assert.equal(await status(sid), 401, way);
    assert.equal((await world.send("POST", "/login", { body: { sid } })).status, 401, way);
    await stream.endsWithin(5_500);
    const worth = way === "logout" || way === "role" ? 200 : 401;
    assert.equal((await world.send("GET", "/background", { token })).status, worth, way);
  }
});

test("SE-04: of a password that is changed by its user only the other sessions end, and it takes the old one", async () => {
  const first = await world.user("se04", "operator");
  const second = (await world.login("se04", userPassword)).sid;
  const change = (current: string) =>
    world.send("PUT", "/password", { sid: first, body: { current, password: "a better password" } });
  assert.equal((await change("wrong password")).status, 401);
  assert.equal(await status(second), 200);
  const { json } = await change(userPassword);
  assert.deepEqual(json, { username: "se04", sessions_ended: 1, tokens_ended: 0 });
  assert.deepEqual([await status(first), await status(second)], [200, 401]);
  assert.equal((await world.login("se04", userPassword)).status, 401);
  assert.equal((await world.login("se04", "a better password")).status, 200);
});

test("OP-08: a new password ends tokens and their streams too, unless they are kept, and the answer counts what ended", async () => {
  const tokenOf = async (sid: string, name: string) =>
    (await world.send("POST", "/tokens", { sid, body: { name } })).json.token as string;
  const worth = async (token: string) => (await world.send("GET", "/background", { token })).status;
  const reset = (body: object) => world.send("PUT", "/users/op08", { sid: world.admin, body });
  const sid = await world.user("op08", "operator");
  await world.login("op08", userPassword);
  const tokens = [await tokenOf(sid, "one"), await tokenOf(sid, "two")] as const;
  const others = await tokenOf(world.admin, "op08");
  const kept = await reset({ password: "another password", keep_tokens: true });
  assert.deepEqual([kept.json.username, kept.json.sessions_ended, kept.json.tokens_ended], ["op08", 2, 0]);
  assert.deepEqual([await worth(tokens[0]), await status(sid)], [200, 401]);
  const disabled = (await reset({ role: "viewer" })).json;
  assert.deepEqual([disabled.role, disabled.sessions_ended, disabled.tokens_ended], ["viewer", 0, 0]);
  const wrong = await reset({ role: "operator", keep_tokens: true });
  assert.deepEqual([wrong.status, wrong.json.error.field], [400, "keep_tokens"]);
  const stream = await openStream(world.station.url, { token: tokens[0] });
  const ended = (await reset({ password: "yet another one" })).json;
  assert.deepEqual([ended.sessions_ended, ended.tokens_ended], [0, 2]);
  for (const token of tokens) assert.equal(await worth(token), 401);
  await stream.endsWithin(5_500);
  const own = (await world.login("op08", "yet another one")).sid;
  const [third, fourth] = [await tokenOf(own, "three"), await tokenOf(own, "four")];
  const change = (current: string, password: string, more = {}) =>
    world.send("PUT", "/password", { sid: own, body: { current, password, ...more } });
  assert.equal((await change("yet another one", "my own password", { keep_tokens: true })).json.tokens_ended, 0);
  assert.equal(await worth(third), 200);
  assert.equal((await change("my own password", "my next password")).json.tokens_ended, 2);
  assert.deepEqual([await worth(third), await worth(fourth), await status(own)], [401, 401, 200]);
  await world.station.kill();
  await world.station.start();
  for (const token of [...tokens, third, fourth]) assert.equal(await worth(token), 401, "also after a crash");
  assert.equal(await worth(others), 200, "of another user");
});

test("SE-07: a password, a sid or a token is in no log, no list and no file of the station", async () => {
  const password = `MARKER-${randomUUID()}`;
  await world.send("POST", "/users", { sid: world.admin, body: { username: "se07", role: "viewer", password } });
  const { sid } = await world.login("se07", password);
  await world.login("se07", `${password}x`);
  await world.send("GET", `/background?sid=${sid}`);
  await world.send("GET", `/nowhere?sid=${sid}`);
  await world.send("GET", `/cgi-bin/authLogin.cgi?user=se07&plain_pwd=${password}`);
  const token = (await world.send("POST", "/tokens", { sid, body: { name: "t" } })).json.token as string;
  assert.equal((await world.send("GET", "/background", { token })).status, 200);
  assert.equal((await world.send("GET", `/background?sid=${token}`)).status, 401, "a token is no part of an address");
  assert.equal((await world.send("GET", "/background", { sid: token })).status, 401, "nor a cookie");
  for (const secret of [password, sid, token]) {
    assert.equal(world.station.errors().includes(secret), false);
    assert.deepEqual(filesWith(world.station.folder, secret), []);
    for (const path of ["/log?limit=9999", "/users", "/sessions", "/tokens", "/background"])
      assert.equal((await world.send("GET", path, { sid: world.admin })).text.includes(secret), false, path);
  }
});

test("SE-08: doubled, quoted, long and strange cookies decide the same way each time", async () => {
  const good = world.admin;
  const cookies: [cookie: string, expected: number][] = [
    [`CS_SESS_ID=${good}; CS_SESS_ID=bad`, 200],
    [`CS_SESS_ID=bad; CS_SESS_ID=${good}`, 401],
    [`CS_SESS_ID="${good}"`, 200],
    [`__proto__=x; CS_SESS_ID=${good}`, 200],
    ["CS_SESS_ID=__proto__", 401],
    [`CS_SESS_ID=${"x".repeat(8192)}`, 401],
  ];
  for (const [cookie, expected] of cookies)
    assert.equal(
      (await world.send("GET", "/background", { headers: { cookie } })).status,
      expected,
      cookie.slice(0, 40),
    );
});

test("SE-09: a session and a token are worth nothing at another station", async () => {
  const token = (await world.send("POST", "/tokens", { sid: world.admin, body: { name: "se09" } })).json
    .token as string;
  assert.equal((await other.send("GET", "/background", { sid: world.admin })).status, 401);
  assert.equal((await other.send("GET", "/background", { token })).status, 401);
});

test("sessions are listed and ended one by one, one's own; an admin sees all", async () => {
  const mine = await world.user("lists", "viewer");
  const second = (await world.login("lists", userPassword)).sid;
  const list = (await world.send("GET", "/sessions", { sid: mine })).json as {
    id: string;
    current: boolean;
    username: string;
    address: string;
  }[];
  assert.equal(list.length, 2);
  assert.deepEqual([...new Set(list.map(({ username }) => username))], ["lists"]);
  assert.equal(list[0]?.address, "127.0.0.1");
  const all = (await world.send("GET", "/sessions", { sid: world.admin })).json as {
    id: string;
    username: string;
    current: boolean;
  }[];
  assert.ok(all.length > list.length);
  const admins = all.find(({ current }) => current)?.id ?? "";
  assert.equal((await world.send("DELETE", `/sessions/${admins}`, { sid: mine })).status, 404, "not his");
  assert.equal((await world.send("DELETE", "/sessions/0123456789abcdef", { sid: mine })).status, 404);
  const others = list.find(({ current }) => !current)?.id ?? "";
  assert.deepEqual((await world.send("DELETE", `/sessions/${others}`, { sid: mine })).json, [others]);
  assert.deepEqual([await status(mine), await status(second)], [200, 401]);
  const third = (await world.login("lists", userPassword)).sid;
  assert.equal(((await world.send("DELETE", "/sessions", { sid: third })).json as string[]).length, 1);
  assert.deepEqual([await status(mine), await status(third)], [401, 200]);
});

test("a token is worth its role, at most its owner's, until it is revoked or its time is over", async () => {
  const { send, admin } = world;
  const operator = await world.user("tokens", "operator");
  assert.equal((await send("POST", "/tokens", { sid: operator, body: { name: "up", role: "admin" } })).status, 403);
  const made = (await send("POST", "/tokens", { sid: operator, body: { name: "ci", role: "viewer", days: 1 } })).json;
  assert.match(made.token, /^gantry_[\w-]{43}$/);
  assert.equal(made.expires - made.created, 24 * 3600);
  assert.equal((await send("POST", "/tokens", { sid: operator, body: { name: "ci" } })).status, 409);
  const { token } = made;
  assert.equal((await send("GET", "/background", { token })).status, 200);
  const image = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };
  assert.equal((await send("POST", "/background/image_download", { token, body: image })).status, 403);
  for (const [method, path, body] of [
    ["POST", "/tokens", { name: "more" }],
    ["PUT", "/password", { current: userPassword, password: "another password" }],
    ["POST", "/two-step", { password: userPassword }],
    ["DELETE", "/sessions", undefined],
    ["PUT", "/logout", undefined],
  ] as const)
    assert.equal((await send(method, path, { token, ...(body && { body }) })).status, 403, path);
  const strong = (await send("POST", "/tokens", { sid: operator, body: { name: "strong" } })).json.token as string;
  await send("PUT", "/users/tokens", { sid: admin, body: { role: "viewer" } });
  assert.equal((await send("POST", "/background/image_download", { token: strong, body: image })).status, 403);
  const list = (await send("GET", "/tokens", { sid: admin })).json as {
    id: number;
    username: string;
    token?: string;
  }[];
  assert.ok(list.every((one) => one.token === undefined));
  const id = list.find(({ username }) => username === "tokens")?.id;
  const viewer = await world.user("tokens2", "viewer");
  assert.equal((await send("DELETE", `/tokens/${id}`, { sid: viewer })).status, 404);
  assert.equal((await send("DELETE", `/tokens/${id}`, { sid: admin })).status, 200);
  assert.equal((await send("GET", "/background", { token })).status, 401);
  await world.station.kill();
  await world.station.start();
  assert.equal((await send("GET", "/background", { token })).status, 401);
  assert.equal((await send("GET", "/background", { token: strong })).status, 200, "the others outlive a crash");
});
