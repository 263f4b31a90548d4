import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { connect as connectPlain, type AddressInfo, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import { openCertificates } from "../../src/certificates/certificates.ts";
import { stationPair } from "../../src/certificates/server-pair.ts";
import type { ServerLimits } from "../../src/http/connections/limits.ts";
import { createServer } from "../../src/http/server.ts";
import { temporaryFolder } from "../certificates/fixture.ts";
import { until } from "../support/daemon.ts";
import { closed, exchange } from "./harness.ts";
import { createStub, streamOf, type Stub } from "./stub-services.ts";

interface Secure extends Stub {
  ca: string;
  port: number;
  /** A connection that speaks HTTP/1.1 by TLS. */
  first(): Socket;
  /** A session of HTTP/2; it ends with the test. */
  second(settings?: { initialWindowSize: number }): ClientHttp2Session;
  close(): Promise<void>;
}

async function startSecure(t: TestContext, limits: Partial<ServerLimits> = {}): Promise<Secure> {
  const certificates = await openCertificates({ folder: temporaryFolder(t) });
  const stub = createStub();
  const app = createServer({
    services: stub.services,
    version: "1",
    limits,
    tls: stationPair(certificates),
    isOwnName: (name) => name === "localhost",
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const ca = certificates.current().authority.certificate;
  return {
    ...stub,
    ca,
    port,
    close: () => app.close(),
    first: () => connectTls({ host: "127.0.0.1", port, ca, ALPNProtocols: ["http/1.1"] }),
    second(settings) {
      const session = connect(`https://127.0.0.1:${port}`, { ca, ...(settings && { settings }) });
      session.on("error", () => undefined);
      t.after(() => session.destroy());
      return session;
    },
  };
}

async function answered(stream: ClientHttp2Stream): Promise<{ status: number; text: string }> {
  let status = 0;
  let text = "";
  stream.once("response", (headers) => (status = Number(headers[":status"])));
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await once(stream, "close");
  return { status, text };
}

test("bad HTTP/1 inside of TLS is refused as without", async (t) => {
  const { first, calls } = await startSecure(t, { headers: 300, check: 20 });
  const head = "GET /healthz HTTP/1.1\r\n";
  assert.match(await exchange(first(), `${head}\r\n`), /^HTTP\/1.1 400 /);
  assert.match(await exchange(first(), `${head}Host: a\r\nA: ${"x".repeat(17_000)}\r\n\r\n`), /^HTTP\/1.1 431 /);
  assert.match(await exchange(first(), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), /^HTTP\/1.1 400 /);
  assert.match(await exchange(first(), `${head}Host: a\r\n`), /^HTTP\/1.1 408 /, "slow headers");
  assert.equal(calls.length, 0);
});

test("a connection without its handshake, or without a request, is cut in time", async (t) => {
  const { port, second } = await startSecure(t, { headers: 300, keepAlive: 300, check: 20, read: 300 });
  const begun = performance.now();
  const silent = connectPlain(port, "127.0.0.1");
  silent.resume().on("error", () => undefined);
  const idle = second();
  const used = second();
  assert.equal((await answered(used.request({ ":path": "/healthz" }))).status, 200);
  await Promise.all([silent, idle, used].map(closed));
  assert.ok(performance.now() - begun < 3_000);
});

test("HTTP/2 carries bodies, the host and the caller's address to the routes", async (t) => {
  const { second, calls, port } = await startSecure(t);
  const session = second();
  const change = { ":path": "/container-station/api/v1/tls/rotation", ":method": "POST" };
  for (const [origin, expected] of [
    [`https://127.0.0.1:${port}`, 200],
    ["https://evil.example", 403],
  ] as const) {
    const stream = session.request({ ...change, origin });
    stream.end();
    assert.equal((await answered(stream)).status, expected, origin);
  }
  const own = session.request({ ...change, cookie: "CS_SESS_ID=mine" });
  own.end("{}");
  assert.deepEqual(await answered(own), { status: 200, text: '{\n  "result": true\n}' });
  assert.deepEqual(calls.at(-1), {
    method: "certificates.rotate",
    caller: { sid: "mine", address: "127.0.0.1" },
    args: [],
  });
});

test("HTTP/2: a body without a length is read as with one, up to the same limit", async (t) => {
  const { second, calls } = await startSecure(t);
  const session = second();
  const body = JSON.stringify({ username: "admin", password: "b" });
  const post = async (path: string, chunks: readonly string[], more = {}) => {
    const stream = session.request({ ":path": path, ":method": "POST", ...more });
    stream.on("error", () => undefined);
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
    return answered(stream);
  };
  for (const more of [{}, { "content-length": String(body.length) }, { "content-type": "application/json" }]) {
    assert.equal((await post("/api/v1/login", [body.slice(0, 5), body.slice(5)], more)).status, 200);
    assert.deepEqual(calls.pop()?.args, [JSON.parse(body)]);
  }
  const almost = 16 * 1024 - body.length;
  assert.equal((await post("/api/v1/login", [body, " ".repeat(almost)])).status, 200);
  assert.equal((await post("/api/v1/login", [body, " ".repeat(almost + 1)])).status, 413);
  assert.match((await post("/api/v1/login", [])).text, /The body is missing/);
  calls.length = 0;
  assert.equal((await post("/api/v1/login", ["{}x"])).status, 400);
  assert.equal(calls.length, 0);
});

test("HTTP/2: one host, and headers of at most 16 KiB, as in HTTP/1", async (t) => {
  const { second, port } = await startSecure(t);
  const session = second();
  const own = `127.0.0.1:${port}`;
  const get = (headers: Record<string, string | string[]>) =>
    answered(session.request({ ":path": "/healthz", ...headers }));
  const cases: [headers: Record<string, string>, status: number, message?: RegExp][] = [
    [{ ":authority": own, host: "localhost" }, 400, /The header host is not the same as :authority/],
    [{ ":authority": "localhost", host: "localhost:1" }, 400, /:authority/],
    [{ ":authority": "evil.example", host: own }, 400, /:authority/],
    [{ ":authority": own, host: own }, 200],
    [{ ":authority": "LOCALHOST", host: "localhost" }, 200],
    [{ host: "localhost" }, 200],
    [{ host: "evil.example" }, 421, /evil\.example.*--host-name/],
    [{ a: "x".repeat(15_000) }, 200],
    [{ a: "x".repeat(20_000) }, 431, /larger than 16 KiB/],
    [{ a: "x".repeat(8_000), b: "x".repeat(8_500) }, 431],
    [Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`h${index}`, "v"])), 200],
  ];
  for (const [headers, expected, message] of cases) {
    const { status, text } = await get(headers);
    assert.equal(status, expected, JSON.stringify(headers).slice(0, 80));
    if (message) assert.match(text, message);
  }
});

test("HTTP/2: a body that does not come ends its stream, and the session goes on", async (t) => {
  const { second } = await startSecure(t, { headers: 200, request: 300 });
  const session = second();
  const slow = session.request({ ":path": "/api/v1/login", ":method": "POST", "content-length": "100" });
  slow.on("error", () => undefined);
  slow.write("{");
  await answered(slow);
  assert.equal((await answered(session.request({ ":path": "/healthz" }))).status, 200);
});

test("HTTP/2: a body over the budget ends its stream and gives back what it held, and the session goes on", async (t) => {
  const { second, answer } = await startSecure(t, { bodies: { total: 100_000, perAddress: 100_000 } });
  answer("background.add", () => ({}));
  const session = second();
  const post = () => session.request({ ":path": "/api/v1/background/image_pull", ":method": "POST" });
  for (let n = 0; n < 2; n++) {
    const over = post().on("error", () => undefined);
    over.resume().write("x".repeat(200_000));
    await new Promise((resolve) => over.once("close", resolve));
    assert.equal(over.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
  const fits = post();
  fits.end(JSON.stringify({ type: "docker", repository: "dockerhub", image: "a", tag: "b" }).padEnd(90_000));
  assert.equal((await answered(fits)).status, 200);
});

test("HTTP/2: who does not take his answer is cut", async (t) => {
  const { second, answer } = await startSecure(t, { read: 400 });
  answer("background.list", () => Array.from({ length: 20_000 }, (_, id) => ({ id, text: "x".repeat(100) })));
  const session = second({ initialWindowSize: 10 });
  const stream = session.request({ ":path": "/api/v1/background" });
  stream.on("error", () => undefined);
  // Never read: the window stays shut.
  stream.pause();
  const begun = performance.now();
  await closed(session);
  assert.ok(performance.now() - begun < 5_000);
});

test("HTTP/2: pings keep no answer alive that is not taken", async (t) => {
  const { second, answer } = await startSecure(t, { read: 400 });
  answer("background.list", () => Array.from({ length: 2_000 }, (_, id) => ({ id, text: "x".repeat(100) })));
  const session = second({ initialWindowSize: 10 });
  const stream = session.request({ ":path": "/api/v1/background" });
  stream.on("error", () => undefined);
  stream.pause();
  const pings = setInterval(() => session.ping(() => undefined), 100);
  t.after(() => clearInterval(pings));
  await closed(session);
});

test("HTTP/2: an event stream ends when its client goes, and with the server", async (t) => {
  const { second, answer, close } = await startSecure(t);
  const signals: AbortSignal[] = [];
  answer("events.stream", (_caller: unknown, _after: unknown, signal: AbortSignal) => {
    signals.push(signal);
    return (async function* () {
      yield* streamOf([{ type: "reset", seq: 1 }]);
      await once(signal, "abort");
    })();
  });
  const [gone, stays] = [second(), second()];
  for (const session of [gone, stays]) {
    const stream = session.request({ ":path": "/api/v1/event/stream" });
    stream.on("error", () => undefined);
    await once(stream, "data");
  }
  gone.destroy();
  assert.ok(await until(() => signals[0]?.aborted === true, 5_000));
  assert.equal(signals[1]?.aborted, false);
  const begun = performance.now();
  await close();
  assert.equal(signals[1]?.aborted, true);
  assert.ok(performance.now() - begun < 4_000);
});

test("HTTP/2: 1,000 requests that are taken back at once do not keep others from theirs", async (t) => {
  const { second } = await startSecure(t);
  const session = second();
  for (let n = 0; n < 1_000 && !session.destroyed; n++) {
    const stream = session.request({ ":path": "/healthz" });
    stream.on("error", () => undefined);
    stream.close(8);
  }
  assert.equal((await answered(second().request({ ":path": "/healthz" }))).status, 200);
});

test("HTTP/2: small requests beside a large answer are all served", async (t) => {
  const { second, answer } = await startSecure(t);
  answer("background.list", () => Array.from({ length: 100_000 }, (_, id) => ({ id, text: "x".repeat(150) })));
  const session = second();
  const large = session.request({ ":path": "/api/v1/background" });
  await once(large, "response");
  const small = Array.from({ length: 30 }, () => answered(session.request({ ":path": "/healthz" })));
  for (const { status } of await Promise.all(small)) assert.equal(status, 200);
  const { text } = await answered(large);
  assert.equal((JSON.parse(text) as unknown[]).length, 100_000);
});
