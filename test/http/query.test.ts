import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "./harness.ts";
import { routeRequests } from "./route-requests.ts";

/** What clients add against caches, or for other versions. */
const unknown = "_=1795216208&_dc=2&x=3";
const tolerant = "POST /cgi-bin/authLogin.cgi";

test("every route that reads ignores query parameters that it does not know", async (t) => {
  const { send, calls } = await startServer(t);
  const reading = routeRequests.filter(({ method }) => method === "GET");
  assert.ok(reading.length > 30);
  for (const { route, path, options } of reading) {
    const plain = await send(path, options);
    const called = calls.splice(0);
    for (const method of route.includes("event/") || route.includes("cgi-bin") ? ["GET"] : ["GET", "HEAD"]) {
      const { status, text } = await send(`${path}?${unknown}`, { method });
      assert.equal(status, plain.status, `${method} ${path}: ${text}`);
      const again = calls.splice(0);
      assert.deepEqual(
        again.map((call) => call.method),
        called.map((call) => call.method),
      );
    }
  }
});

test("every route that changes something refuses query parameters that it does not know, by name", async (t) => {
  const { send, calls } = await startServer(t);
  const changing = routeRequests.filter(({ route, method }) => method !== "GET" && route !== tolerant);
  assert.ok(changing.length > 40);
  for (const { route, path, options } of changing) {
    for (const [query, name] of [
      [unknown, "_"],
      ["sid=mine&x=", "x"],
      ["%5Fdc", "_dc"],
      ["__proto__=1", "__proto__"],
    ] as const) {
      const { status, json } = await send(`${path}?${query}`, options);
      const message = json.error?.message ?? json.message;
      assert.deepEqual([status, message], [400, `${name} is not a known query parameter`], route);
    }
    assert.equal(calls.length, 0, route);
    assert.notEqual((await send(`${path}?sid=mine`, options)).status, 400, `${route}: a session may stand there`);
    calls.length = 0;
  }
});
