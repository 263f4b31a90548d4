import assert from "node:assert/strict";
import { test } from "node:test";
import { methodOfRoute, routeTable } from "../../src/api/routes.ts";
import { startServer } from "./harness.ts";
import { routeRequests } from "./route-requests.ts";

const login = "user=nobody&plain_pwd=secret";

test("each route calls the method of the services that it is named after, and no other", async (t) => {
  const { send, calls } = await startServer(t);
  for (const { name, path, options } of routeRequests) {
    const isPage = path.includes("authLogin.cgi");
    const { text } = await send(isPage ? `${path}?${login}` : path, options);
    // The stub does not record looks at the session.
    const wanted = name === "sessions.check:openapi" ? [] : [methodOfRoute(name)];
    const called = calls.splice(0).map(({ method }) => method);
    assert.deepEqual(called, wanted, `${name}: ${text}`);
  }
});

test("the OpenAPI document has every route under its name, and says which need no session", async (t) => {
  const { send } = await startServer(t);
  const { json } = await send("/openapi.json");
  for (const [name, { method, path, verb }] of Object.entries(routeTable)) {
    const described = json.paths[path.replaceAll(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
    assert.equal(described?.operationId, name);
    assert.deepEqual(described.security, verb === "open" ? [] : undefined, name);
  }
});

test("routes that call the same method agree on whether it is audited", () => {
  const known = new Map<string, boolean>();
  for (const [name, { audited }] of Object.entries(routeTable)) {
    const method = methodOfRoute(name);
    assert.equal(known.get(method) ?? audited, audited, name);
    known.set(method, audited);
  }
});

test("every route that is no GET is audited, and of the others those that hand out secrets or log in", () => {
  const named = (audited: boolean, reads: boolean) =>
    Object.entries(routeTable)
      .filter(([, route]) => route.audited === audited && (route.method === "GET") === reads)
      .map(([name]) => name);
  assert.deepEqual(named(false, false), ["background.refuse"], "which never succeeds");
  assert.deepEqual(named(true, true), ["sessions.login:page-get", "system.report", "certificates.exportClient"]);
});
