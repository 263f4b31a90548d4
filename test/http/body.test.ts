import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer, type SendOptions } from "./harness.ts";

const login = "/api/v1/login";
const expected = { username: "admin", password: "a b+c&d=é" };
const form = new URLSearchParams(expected).toString();
const json = JSON.stringify(expected);

test("a body is read by its content under any label", async (t) => {
  const { send, calls, port } = await startServer(t);
  const labels = [
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data",
    "nonsense",
    "/;;",
    "",
  ];
  for (const body of [json, form, ` \r\n\t${json}\n`, `${form}\r\n`]) {
    for (const label of labels) {
      const { status, text } = await send(login, { body, headers: { "content-type": label } });
      assert.equal(status, 200, `${label}: ${text}`);
      assert.deepEqual(calls.pop()?.args, [expected]);
    }
    assert.equal((await send(login, { body })).status, 200, "no label");
    const chunked = await fetch(`http://127.0.0.1:${port}${login}`, {
      method: "POST",
      body: new Blob([body]).stream(),
      duplex: "half",
    });
    assert.equal(chunked.status, 200, "chunked");
    assert.deepEqual(calls.pop()?.args, [expected]);
  }
});

test("an empty body is no body, under any label", async (t) => {
  const { send, calls } = await startServer(t);
  for (const label of ["application/json", "application/x-www-form-urlencoded", "nonsense"]) {
    for (const headers of [{ "content-length": "0" }, { "transfer-encoding": "chunked" }]) {
      const { status } = await send("/api/v1/logout", {
        method: "PUT",
        headers: { "content-type": label, ...headers },
      });
      assert.equal(status, 200);
      assert.equal(calls.pop()?.method, "sessions.logout");
    }
  }
  const { status, json } = await send(login, { method: "POST", body: " \n" });
  assert.deepEqual([status, json.error.message], [400, "The body is missing."]);
});

test("what is neither JSON nor a form is refused, and nothing is called", async (t) => {
  const { send, calls } = await startServer(t);
  const cases: [string | Buffer, RegExp][] = [
    ["xyz", /neither JSON nor a form/],
    ['"text"', /neither JSON nor a form/],
    ["12", /neither JSON nor a form/],
    ["null", /neither JSON nor a form/],
    [Buffer.from([0xff, 0xfe, 0, 1]), /neither JSON nor a form/],
    ["{", /not valid JSON/],
    ['{"username":"a",}', /not valid JSON/],
    ["[1,2", /not valid JSON/],
    ["{}x", /not valid JSON/],
    ["[]", /must be an object/],
    ["username=a&username=b", /^username is given twice$/],
    [`a[]=${"x".repeat(10)}`, /is not a known field/],
    [Array.from({ length: 200 }, (_, i) => `k${i}=`).join("&"), /too many fields/],
    ['{"__proto__":{"username":"a"}}', /^__proto__ is not a known field/],
    ['{"username":{"__proto__":1}}', /^__proto__/],
    ['{"\\u005f_proto__":1}', /^__proto__/],
    ["__proto__=a", /^__proto__ is not a known field/],
    ['{"constructor":{"prototype":1}}', /^constructor is not a known field/],
    [Buffer.concat([Buffer.from('{"username":"'), Buffer.from([0xc3]), Buffer.from('"}')]), /not UTF-8\.$/],
    [Buffer.from('{"username":"\u00e9"}', "latin1"), /not UTF-8\.$/],
    ['{"username":"\\ud800"}', /^username has half of a Unicode character/],
    ['{"a":[{"b":1},{"b":"x\\udc00y"}]}', /^a\[1\]\.b has half/],
    ['{"\\udfff":1}', /^\["\\udfff"\] has half/],
    ["username=a&password=%ff", /^password is not valid UTF-8$/],
    ["username=%ed%a0%80&password=a", /^username is not valid UTF-8$/],
    ["username=a&%c3=b", /^%c3 is not valid UTF-8$/],
    ["[".repeat(15_000), /not valid JSON/],
    ["[".repeat(8_000) + "]".repeat(8_000), /nested more than/],
    [`{"changed":${"[".repeat(40)}${"]".repeat(40)}}`, /nested more than/],
  ];
  for (const [body, message] of cases) {
    const answer = await send(login, { body });
    assert.equal(answer.status, 400, String(body).slice(0, 40));
    assert.match(answer.json.error.message, message);
  }
  assert.equal(calls.length, 0);
});

test("whole characters are read as they are, escaped in any way", async (t) => {
  const { send, calls } = await startServer(t);
  const password = "\u{1f511} 100% %zz \u{10ffff}";
  const escaped = '"\\ud83d\\udd11 100% %zz \\udbff\\udfff"';
  const form = `username=admin&password=${encodeURIComponent("\u{1f511}")}+100%+%zz+\u{10ffff}`;
  for (const body of [
    JSON.stringify({ username: "admin", password }),
    `{"username":"admin","password":${escaped}}`,
    form,
  ]) {
    assert.equal((await send(login, { body })).status, 200, body);
    assert.deepEqual(calls.pop()?.args, [{ username: "admin", password }]);
  }
});

test("the last of two equal keys counts", async (t) => {
  const { send, calls } = await startServer(t);
  await send(login, { body: '{"username":"a","username":"b"}' });
  assert.deepEqual(calls.pop()?.args, [{ username: "b" }]);
});

test("an encoded body is refused before it is read", async (t) => {
  const { send, calls } = await startServer(t);
  for (const encoding of ["gzip", "deflate", "br", "identity, gzip", "nonsense"]) {
    const { status, json } = await send(login, { body: "\x1f\x8b", headers: { "content-encoding": encoding } });
    assert.deepEqual([status, json.error.code], [415, 415], encoding);
  }
  assert.equal(calls.length, 0);
  assert.equal((await send(login, { body: json, headers: { "content-encoding": "Identity" } })).status, 200);
});

const limits = [
  { path: "/api/v1/background/application", what: "1 MiB", limit: 1024 * 1024, accepted: 501 },
  { path: login, what: "a login's 16 KiB", limit: 16 * 1024, accepted: 200 },
];
for (const { path, what, limit, accepted } of limits) {
  test(`a body of ${what} is read, and one byte more is not`, async (t) => {
    const { send, calls } = await startServer(t);
    const body = (size: number): SendOptions => ({
      method: "POST",
      body: json + " ".repeat(size - Buffer.byteLength(json)),
    });
    assert.equal((await send(path, body(limit))).status, accepted);
    const { status, headers, text } = await send(path, body(limit + 1));
    assert.equal(status, 413);
    assert.equal(headers.connection, "close");
    assert.match(text, /too large/);
    assert.equal(calls.length, 1);
  });
}

test("too large a body is refused from its announcement", async (t) => {
  const { raw } = await startServer(t);
  const head = "POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: 10737418240\r\n";
  for (const more of ["", "Expect: 100-continue\r\n"]) {
    const answer = await raw(`${head}${more}\r\n{`);
    assert.match(answer, /^HTTP\/1.1 413 /, "no 100 before it");
    assert.match(answer, /connection: close/i);
  }
});

test("a chunked body without end is cut at the limit", async (t) => {
  const { open } = await startServer(t);
  const socket = open();
  let answer = "";
  let sent = 0;
  socket.on("data", (chunk) => (answer += chunk));
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write("POST /api/v1/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
  const pour = () => {
    while (!socket.destroyed && answer === "" && sent < 200e6 && socket.write(chunk)) sent += chunk.length;
    if (!socket.destroyed && answer === "" && sent < 200e6) socket.once("drain", pour);
  };
  pour();
  await closed;
  assert.match(answer, /^HTTP\/1.1 413 /);
  assert.ok(sent < 50e6, `${sent} bytes were taken`);
});
