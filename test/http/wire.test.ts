import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { until } from "../support/daemon.ts";
import { closed, exchange, startServer } from "./harness.ts";

const host = "Host: a\r\n";
const get = `GET /healthz HTTP/1.1\r\n${host}`;
const post = `POST /api/v1/login HTTP/1.1\r\n${host}`;
const chunked = `${post}Transfer-Encoding: chunked\r\n`;

const malformed: [string, string][] = [
  ["length and chunks", `${chunked}Content-Length: 5\r\n\r\n0\r\n\r\n`],
  ["two lengths", `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`],
  ["a signed length", `${post}Content-Length: +1\r\n\r\na`],
  ["a negative length", `${post}Content-Length: -1\r\n\r\n`],
  ["an unknown transfer encoding", `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ["a folded header", `${get}A: b\r\n c\r\n\r\n`],
  ["line feeds alone", "GET /healthz HTTP/1.1\nHost: a\n\n"],
  ["a NUL in a header", `${get}A: b\0c\r\n\r\n`],
  ["a space before the colon", `${get}A : b\r\n\r\n`],
  ["no host", "GET /healthz HTTP/1.1\r\n\r\n"],
  ["a bad chunk size", `${chunked}\r\nxyz\r\n`],
  ["a negative chunk size", `${chunked}\r\n-1\r\n`],
  ["a chunk without its end", `${chunked}\r\n1\r\nabc\r\n0\r\n\r\n`],
  ["a method nobody knows", `BREW /healthz HTTP/1.1\r\n${host}\r\n`],
  ["HTTP/0.9", "GET /healthz\r\n\r\n"],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["a space in the path", `GET /a b HTTP/1.1\r\n${host}\r\n`],
  ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ["noise", "\r\n\r\nxx\0\x01\x02\r\n\r\n"],
];

test("malformed HTTP is 400 in the shape of all errors, and the connection ends", async (t) => {
  const { raw, calls } = await startServer(t);
  for (const [what, bytes] of malformed) {
    const text = await raw(Buffer.from(bytes, "latin1"));
    assert.match(text, /^HTTP\/1.1 4\d\d /, what);
    assert.equal(text.match(/HTTP\/1.1/g)?.length, 1, `${what}: one answer`);
    if (what !== "no host") assert.match(text, /^HTTP\/1.1 400 [^]*\r\n\r\n\{\n  "error": \{\n    "code": 400,/, what);
  }
  assert.equal(calls.length, 0);
});

test("a header that the station decides by is given once", async (t) => {
  const { raw, calls } = await startServer(t);
  const twice: [header: string, first: string, second: string][] = [
    ["host", "a", "a"],
    ["host", "127.0.0.1", "evil.example"],
    ["authorization", "Bearer mine", "Bearer other"],
    ["origin", "http://a", "http://a"],
    ["sec-fetch-site", "same-origin", "same-origin"],
    ["idempotency-key", "one", "two"],
    ["last-event-id", "1", "2"],
  ];
  for (const [name, first, second] of twice) {
    const own = name === "host" ? "" : host;
    const text = await raw(
      `PUT /api/v1/logout HTTP/1.1\r\n${own}${name}: ${first}\r\n${name.toUpperCase()}: ${second}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(text, new RegExp(`^HTTP/1.1 400 [^]*The header ${name} is given twice`), name);
  }
  assert.equal(calls.length, 0);
});

test("an address is ASCII, and what is escaped in it is UTF-8", async (t) => {
  const { send, raw, calls } = await startServer(t);
  const { status, json } = await send("/api/v1/log?limit=1&text=a%c3b");
  assert.deepEqual([status, json.error.message, json.error.field], [400, "text is not valid UTF-8", "text"]);
  for (const path of ["/api/v1/container/%ff", "/api/v1/container/%ed%a0%80", "/api/v1/log?text=\u00e9"])
    assert.match(await raw(`GET ${path} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`), /^HTTP\/1.1 400 /, path);
  assert.equal(calls.length, 0);
  await send("/api/v1/container/caf%c3%a9");
  assert.deepEqual(calls.pop()?.args, ["caf\u00e9"]);
});

test("a request target that is not a path is refused", async (t) => {
  const { raw } = await startServer(t);
  for (const line of ["OPTIONS *", "GET http://evil.example/healthz", "GET *"]) {
    const text = await raw(`${line} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
    assert.match(text, /^HTTP\/1.1 400 [^]*must be a path/, line);
  }
  assert.doesNotMatch(await raw(`CONNECT a:80 HTTP/1.1\r\n${host}\r\n`), /HTTP\/1.1 2/);
});

test("headers have a limit", async (t) => {
  const { raw } = await startServer(t);
  assert.match(await raw(`${get}A: ${"x".repeat(17_000)}\r\n\r\n`), /^HTTP\/1.1 431 [^]*"code": 431/);
  assert.match(await raw(`GET /${"x".repeat(17_000)} HTTP/1.1\r\n${host}\r\n`), /^HTTP\/1.1 431 /);
  assert.match(await raw(`${get}A: ${"x".repeat(15_000)}\r\nConnection: close\r\n\r\n`), /^HTTP\/1.1 200 /);
  assert.match(await raw(`${chunked}\r\n1;${"x".repeat(65_536)}\r\na\r\n0\r\n\r\n`), /^HTTP\/1.1 413 /);
});

test("an expectation that is not 100-continue is 417, and that one is met", async (t) => {
  const { raw } = await startServer(t);
  assert.match(await raw(`${get}Expect: miracles\r\n\r\n`), /^HTTP\/1.1 417 [^]*"code": 417/);
  const met = await raw(`${post}Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`);
  assert.match(met, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /);
});

test("a bad request behind a good one does not spoil its answer", async (t) => {
  const { raw } = await startServer(t);
  const text = await raw(`${get}\r\nBAD\r\n\r\n`);
  assert.match(text, /^HTTP\/1.1 200 /);
});

test("1,000 pipelined requests are answered in order", async (t) => {
  const { raw } = await startServer(t);
  const requests = Array.from({ length: 1_000 }, (_, i) => `GET /api/v1/p${i} HTTP/1.1\r\n${host}\r\n`).join("");
  const text = await raw(`${requests}${get}Connection: close\r\n\r\n`);
  assert.equal(text.match(/HTTP\/1.1 404/g)?.length, 1_000);
  assert.match(text, /HTTP\/1.1 200 [^]*"ok"[^]*$/);
});

test("slow senders are let go", async (t) => {
  const { open } = await startServer(t, { headers: 150, request: 300, check: 30 });
  const slow: [string, string, RegExp][] = [
    ["nothing", "", /^$|^HTTP\/1.1 408/],
    ["half a header", `${get}A: b`, /^HTTP\/1.1 408 [^]*"code": 408/],
    ["half a body", `${post}Content-Length: 10\r\n\r\n{`, /^HTTP\/1.1 408 /],
  ];
  for (const [what, bytes, expected] of slow) {
    const begin = performance.now();
    assert.match(await exchange(open(), bytes), expected, what);
    assert.ok(performance.now() - begin < 8_000, what);
  }
});

test("a connection that trickles its body is let go", async (t) => {
  const { open } = await startServer(t, { headers: 150, request: 300, check: 30 });
  const socket = open();
  socket.on("error", () => {});
  socket.write(`${post}Content-Length: 1000\r\n\r\n{`);
  const drip = setInterval(() => socket.write(" "), 20);
  await closed(socket.resume());
  clearInterval(drip);
});

test("an idle connection is let go, and one that waits for its answer is not", async (t) => {
  const { open, answer } = await startServer(t, { keepAlive: 100, read: 100, check: 20 });
  answer("background.list", () => setTimeout(400, []));
  const text = await exchange(open(), `GET /api/v1/background HTTP/1.1\r\n${host}\r\n`);
  assert.match(text, /^HTTP\/1.1 200 /);
});

test("a client that does not take its answer is let go", async (t) => {
  const { open, answer, port, connections } = await startServer(t, { read: 200, check: 30 });
  assert.ok(port > 0);
  answer("background.list", () => ["x".repeat(30_000_000)]);
  const socket = open().pause();
  socket.on("error", () => {});
  socket.write(`GET /api/v1/background HTTP/1.1\r\n${host}\r\n`);
  for (const count of [1, 0]) assert.ok(await until(async () => (await connections()) === count, 20_000), `${count}`);
  let length = 0;
  socket.on("data", (chunk) => (length += chunk.length)).resume();
  await closed(socket);
  assert.ok(length < 30_000_000, "the rest of the answer is gone");
});

test("a client that takes nothing is let go also when its answer has left the station, and waits in the kernel", async (t) => {
  const { open, answer, connections } = await startServer(t, { read: 300 });
  answer("background.list", () => ["x".repeat(2_500_000)]);
  const socket = open().pause();
  socket.on("error", () => {});
  socket.write(`GET /api/v1/background HTTP/1.1\r\n${host}\r\n`);
  for (const count of [1, 0]) assert.ok(await until(async () => (await connections()) === count, 20_000), `${count}`);
  let length = 0;
  socket.on("data", (chunk) => (length += chunk.length)).resume();
  await closed(socket);
  assert.ok(length < 2_500_000, "the rest of the answer is gone");
});

test("a slow reader that goes on reading gets all, however long it takes", async (t) => {
  const { open, answer } = await startServer(t, { read: 600 });
  answer("background.list", () => ["x".repeat(12_000_000)]);
  const socket = open();
  let length = 0;
  socket.on("data", (chunk) => {
    length += chunk.length;
    socket.pause();
    globalThis.setTimeout(() => socket.resume(), 10);
  });
  const begun = performance.now();
  socket.write(`GET /api/v1/background HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
  await closed(socket);
  assert.ok(length > 12_000_000 && performance.now() - begun > 1_200, `${length} bytes`);
});

test("connections over the limit are refused", async (t) => {
  const { open, send } = await startServer(t, { connections: 2 });
  const held = [open(), open()];
  await Promise.all(held.map((socket) => once(socket, "connect")));
  await assert.rejects(send("/healthz"));
  held.forEach((socket) => socket.destroy());
});

const pulling = "/api/v1/background/image_pull";
const unsized = `POST ${pulling} HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`;
const chunkOf = (length: number) => `${length.toString(16)}\r\n${"x".repeat(length)}\r\n`;
const pullOf = (length: number) => {
  const body = { type: "docker", repository: "dockerhub", image: "a", tag: "b" };
  return { method: "POST", body: JSON.stringify(body).padEnd(length) };
};

/** Begins a body whose length is not known; `text` is what the server says before it ends the connection. */
function beginBody(open: () => Socket, length: number): { socket: Socket; text: Promise<string> } {
  const socket = open().on("error", () => {});
  let said = "";
  socket.on("data", (chunk) => (said += chunk)).write(unsized + chunkOf(length));
  return { socket, text: closed(socket).then(() => said) };
}

test("bodies that are on their way have a budget of all and of one address; short ones get in all the same", async (t) => {
  for (const bodies of [
    { total: 300_000, perAddress: 200_000 },
    { total: 200_000, perAddress: 300_000 },
  ]) {
    const { open, send, answer } = await startServer(t, { bodies });
    answer("background.add", () => ({}));
    const [one, two] = [beginBody(open, 97_000), beginBody(open, 97_000)];
    const large = async () => (await send(pulling, pullOf(100_000))).status;
    assert.ok(await until(async () => (await large()) === 429, 30_000), "a length that does not fit is refused");
    assert.equal((await send(pulling, pullOf(16_000))).status, 200, "a short one");
    assert.deepEqual([one.socket.destroyed, two.socket.destroyed], [false, false]);
    one.socket.write(chunkOf(90_000));
    assert.equal(await one.text, "", "what grows over it is cut");
    assert.equal(await large(), 200, "and is free again");
    two.socket.destroy();
    const own = async () => (await send(pulling, pullOf(190_000))).status;
    assert.ok(await until(async () => (await own()) === 200, 5_000), "and what ended");
  }
});

test("the connection of a body that is refused by its length is closed, so that the rest of the body is not awaited", async (t) => {
  const { raw } = await startServer(t, { bodies: { total: 50_000, perAddress: 50_000 } });
  const head = `POST ${pulling} HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n`;
  const said = await raw(`${head}{`);
  assert.match(said, /^HTTP\/1.1 429 /);
  assert.match(said, /connection: close/i);
  assert.equal(said.match(/HTTP\/1.1/g)?.length, 1, "and nothing is said after it");
});

test("the beginnings of bodies have a budget too, because there may be very many", async (t) => {
  const { open, send, answer } = await startServer(t, { bodies: { total: 40_000, perAddress: 40_000 } });
  answer("background.add", () => ({}));
  const held = [beginBody(open, 15_000), beginBody(open, 15_000)];
  const short = async () => (await send(pulling, pullOf(15_000))).status;
  assert.ok(await until(async () => (await short()) === 429, 30_000));
  assert.equal(await beginBody(open, 15_000).text, "", "what grows over it is cut");
  held.forEach(({ socket }) => socket.destroy());
  assert.ok(await until(async () => (await short()) === 200, 5_000));
});

test("a body that is not read takes nothing of the budget", async (t) => {
  const { open, send, answer } = await startServer(t, { bodies: { total: 3_000_000, perAddress: 3_000_000 } });
  answer("background.add", () => ({}));
  answer("background.get", () => new Promise(() => {}));
  const waiting = open().on("error", () => {});
  waiting.write(`GET /api/v1/background/1 HTTP/1.1\r\n${host}Content-Length: 2900000\r\n\r\n${"x".repeat(2_900_000)}`);
  for (let n = 0; n < 10; n++) assert.equal((await send(pulling, pullOf(900_000))).status, 200);
  waiting.destroy();
});

test("what comes of a body after its answer takes nothing of the budget", async (t) => {
  const most = 1024 * 1024 + 1;
  const { open } = await startServer(t, { bodies: { total: most, perAddress: most } });
  for (let n = 0; n < 10; n++) {
    const socket = open().on("error", () => {});
    const said = new Promise((resolve) => socket.once("data", resolve).once("close", () => resolve("")));
    socket.write(`POST ${pulling} HTTP/1.1\r\n${host}Content-Length: ${most}\r\n\r\n${"x".repeat(most)}`);
    // A reset, because not all of it was read, may overtake the answer.
    assert.match(String(await said), /^(?:HTTP\/1.1 413 [^]*)?$/);
    if (!socket.destroyed) await closed(socket.resume());
  }
});
