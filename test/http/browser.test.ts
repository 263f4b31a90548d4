import assert from "node:assert/strict";
import { test } from "node:test";
import { sessionIdOfCookie } from "../../src/http/security/session-cookie.ts";
import { startServer } from "./harness.ts";

const body = '{"username":"a","password":"b"}';

test("pages of other sites cannot change anything", async (t) => {
  const { send, calls, port } = await startServer(t);
  const own = `127.0.0.1:${port}`;
  const refused: Record<string, string>[] = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "cross-site", origin: `http://${own}` },
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "" },
    { origin: `http://${own}.evil.example` },
    { origin: `http://127.0.0.1:${port + 1}` },
    { origin: "http://127.0.0.1" },
    { "sec-fetch-site": "same-origin", origin: "http://evil.example" },
  ];
  const changes: [string, string][] = [
    ["POST", "login"],
    ["PUT", "logout"],
    ["POST", "background/create"],
    ["DELETE", "background"],
    ["DELETE", "background/1"],
    ["POST", "registry"],
    ["DELETE", "registry/a"],
  ];
  for (const headers of refused) {
    for (const [method, path] of changes) {
      const answer = await send(`/api/v1/${path}`, { method, headers, body });
      assert.deepEqual(
        [answer.status, answer.json.error.code],
        [403, 403],
        `${method} ${path} ${JSON.stringify(headers)}`,
      );
      assert.ok(!Object.keys(answer.headers).some((name) => name.startsWith("access-control")));
    }
    assert.equal((await send("/api/v1/background", { headers })).status, 200, "reading changes nothing");
  }
  assert.ok(calls.every(({ method }) => method === "background.list"));
});

test("the station's own page and programs may", async (t) => {
  const { send, port } = await startServer(t);
  const accepted: Record<string, string>[] = [
    {},
    { origin: `http://127.0.0.1:${port}` },
    { "sec-fetch-site": "same-origin", origin: `http://127.0.0.1:${port}` },
    { "sec-fetch-site": "none" },
    { host: "NAS.local", origin: "http://nas.local" },
    { host: "nas.local:80", origin: "http://nas.local" },
    { host: "nas.local:443", origin: "https://nas.local" },
  ];
  for (const headers of accepted) {
    assert.equal((await send("/api/v1/login", { body, headers })).status, 200, JSON.stringify(headers));
  }
});

test("a login sets one cookie, a logout takes it away", async (t) => {
  const { send } = await startServer(t);
  for (const sent of [body, "username=a&password=b", '{"sid":"x"}']) {
    const { headers, json } = await send("/api/v1/login", { body: sent });
    assert.deepEqual(headers["set-cookie"], ["CS_SESS_ID=new-sid; Path=/; HttpOnly; SameSite=Lax"]);
    assert.deepEqual(Object.keys(json), ["anonymous", "isAdmin", "logintime", "username"]);
  }
  const { headers } = await send("/api/v1/logout", { method: "PUT" });
  assert.deepEqual(headers["set-cookie"], ["CS_SESS_ID=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"]);
});

test("a session is known by header, query or cookie, in this order", async (t) => {
  const { send, calls } = await startServer(t);
  const sidOf = async (query: string, headers: Record<string, string>) => {
    await send(`/api/v1/background${query}`, { headers });
    return calls.pop()?.caller.sid;
  };
  const cookie = "CS_SESS_ID=from-cookie";
  assert.equal(await sidOf("", {}), undefined);
  assert.equal(await sidOf("", { cookie }), "from-cookie");
  assert.equal(await sidOf("?sid=from-query", { cookie }), "from-query");
  assert.equal(await sidOf("?sid=from-query", { cookie, authorization: "Bearer from-header" }), "from-header");
  assert.equal(await sidOf("", { cookie, authorization: "Basic eA==" }), "from-cookie");
  assert.equal(await sidOf("?sid=", { cookie }), "from-cookie");
});

test("a cookie header is read the same way whatever is in it", () => {
  const cases: [string, string | undefined][] = [
    ["CS_SESS_ID=a", "a"],
    ["x=1; CS_SESS_ID=a; y=2", "a"],
    ["x=1;CS_SESS_ID=a;y=2", "a"],
    ["CS_SESS_ID=a; CS_SESS_ID=b", "a"],
    ['CS_SESS_ID="a"', "a"],
    ['CS_SESS_ID="', '"'],
    ["NOT_CS_SESS_ID=a", undefined],
    ["NOT_CS_SESS_ID=a; CS_SESS_ID=b", "b"],
    ["__proto__=x; CS_SESS_ID=a", "a"],
    ["CS_SESS_ID=", undefined],
    ["CS_SESS_ID", undefined],
    ["cs_sess_id=a", undefined],
    [`CS_SESS_ID=${"a".repeat(8192)}`, "a".repeat(8192)],
    [";;;=;", undefined],
  ];
  for (const [cookie, sid] of cases) assert.equal(sessionIdOfCookie(cookie), sid, cookie.slice(0, 50));
});
