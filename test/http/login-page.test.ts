import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../../src/errors.ts";
import { startServer } from "./harness.ts";

const page = "/cgi-bin/authLogin.cgi";
const extras = "remme=1&service=99&device=phone&_=5";
const passed = /<authPassed><!\[CDATA\[1\]\]><\/authPassed>[^]*<authSid><!\[CDATA\[new-sid\]\]>/;

test("what the login page needs may stand in the address or in the body, by both methods", async (t) => {
  const { send, calls } = await startServer(t);
  const query = `user=admin&plain_pwd=a%20b&${extras}`;
  const pwd = Buffer.from("a b").toString("base64");
  const ways: [path: string, options: Parameters<typeof send>[1]][] = [
    [`${page}?${query}`, {}],
    [`${page}?${query}`, { method: "POST" }],
    [`${page}?${query}`, { method: "POST", headers: { "content-length": "0" } }],
    [page, { method: "POST", body: query }],
    [page, { method: "POST", body: JSON.stringify({ user: "admin", pwd, remme: 1 }) }],
    [`${page}/?user=admin&${extras}`, { method: "POST", body: `plain_pwd=a+b&user=admin` }],
  ];
  for (const [path, options] of ways) {
    const { status, headers, text } = await send(path, options);
    assert.equal(status, 200, text);
    assert.equal(headers["content-type"], "text/xml; charset=utf-8");
    assert.match(text, passed);
    assert.deepEqual(calls.pop()?.args, [{ username: "admin", password: "a b", code: undefined }]);
  }
});

test("every error of the login page is XML that names what is wrong", async (t) => {
  const { send, calls, answer } = await startServer(t);
  const post = (body?: string, query = "") =>
    [`${page}${query}`, { method: "POST", ...(body !== undefined && { body }) }] as const;
  const wrong: [sent: readonly [string, Parameters<typeof send>[1]], status: number, message: RegExp][] = [
    [[page, {}], 400, /user is missing/],
    [[`${page}?user=a`, {}], 400, /pwd is missing/],
    [[`${page}?user=a&user=b&plain_pwd=c`, {}], 400, /user must be a text/],
    [[`${page}?user=a&plain_pwd=%ff`, {}], 400, /plain_pwd is not valid UTF-8/],
    [[`${page}?user=a&pwd=/w==`, {}], 400, /pwd is not a password in base64/],
    [post(), 400, /user is missing/],
    [post("{"), 400, /not valid JSON/],
    [post("[]"), 400, /must be an object/],
    [post("user=b&plain_pwd=c", "?user=a"), 400, /user is given twice/],
    [post("x".repeat(17_000)), 413, /too large/],
    [[page, { method: "PUT" }], 405, /takes GET and POST only/],
    [[page, { headers: { host: "evil.example" } }], 421, /--host-name/],
    [[page, { headers: { "sec-fetch-site": "cross-site" } }], 403, /another site/],
  ];
  for (const [[path, options], expected, message] of wrong) {
    const { status, headers, text } = await send(path, options);
    assert.deepEqual([status, headers["content-type"]], [expected, "text/xml; charset=utf-8"], text);
    assert.match(text, /^<\?xml[^]*<authPassed><!\[CDATA\[0\]\]>/);
    assert.match(text, message);
  }
  assert.equal(calls.length, 0);
  answer("sessions.login", () => {
    throw new AppError("unauthenticated", "Wrong.");
  });
  const { status, text } = await send(`${page}?user=a&plain_pwd=b&${extras}`, { method: "POST" });
  assert.equal(status, 200);
  assert.match(text, /errorValue><!\[CDATA\[-1\]\]>/);
  answer("sessions.login", () => {
    throw new Error("a bug");
  });
  const failed = await send(`${page}?user=a&plain_pwd=b`);
  assert.deepEqual([failed.status, failed.headers["content-type"]], [500, "text/xml; charset=utf-8"]);
});
