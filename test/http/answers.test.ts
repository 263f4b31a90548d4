import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, errorCodes } from "../../src/errors.ts";
import { statusOf } from "../../src/http/responses/errors.ts";
import { startServer } from "./harness.ts";
import { task } from "./stub-services.ts";

/** The form of answers and of errors. */

test("an answer is JSON with two spaces that nobody stores or guesses about", async (t) => {
  const { send } = await startServer(t);
  const answer = await send("/api/v1/background");
  assert.equal(answer.status, 200);
  assert.equal(answer.text, JSON.stringify([task], null, 2));
  assert.match(answer.headers["content-type"]!, /^application\/json/);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["x-content-type-options"], "nosniff");
});

test("a text is an answer in JSON too", async (t) => {
  const { send, answer } = await startServer(t);
  answer("inside.logs", () => ({ logs: "line\r\n\u0007", tail: 100, truncated: true }));
  const { text, headers, json } = await send("/api/v1/container/lxd/web/logs");
  assert.equal(text, '"line\\r\\n\\u0007"');
  assert.match(String(headers["content-type"]), /^application\/json/);
  assert.equal(json, "line\r\n\u0007");
  assert.equal(headers["x-truncated"], "true");
  const docker = await send("/api/v1/container/docker/web/logs");
  assert.deepEqual(docker.json, { logs: "line\r\n\u0007", tail: 100, truncated: true });
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
