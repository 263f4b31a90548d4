import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { AppError } from "../../src/errors.ts";
import type { Caller, StreamItem } from "../../src/services/contract/services.ts";
import { closed, exchange, startServer } from "./harness.ts";
import { streamOf } from "./stub-services.ts";

const path = "/api/v1/event/stream";
const event = (seq: number, data: unknown = {}): StreamItem => ({
  type: "event",
  event: { seq, kind: "task", ts: 1, user: "admin", data },
});
const limits = { buffer: 64 * 1024, heartbeat: 60_000 };

function ask(socket: Socket, headers = ""): void {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`);
}

/** Ends when the signal does. */
async function* untilAborted(signal: AbortSignal): AsyncGenerator<StreamItem> {
  if (!signal.aborted) await once(signal, "abort");
  yield* [];
}

test("items are written as server-sent events", async (t) => {
  const { send, answer } = await startServer(t);
  const progress: StreamItem = { type: "progress", task: { tid: 5, progress: 40, detail_state: "Pulling" } };
  answer("events.stream", () => streamOf([{ type: "reset", seq: 3 }, event(3, { a: "x\ny" }), progress]));
  const { status, headers, text } = await send(path);
  assert.equal(status, 200);
  assert.equal(headers["content-type"], "text/event-stream; charset=utf-8");
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(
    text,
    ":\n\n" +
      'event: reset\ndata: {"seq":3}\n\n' +
      'id: 3\nevent: task\ndata: {"seq":3,"kind":"task","ts":1,"user":"admin","data":{"a":"x\\ny"}}\n\n' +
      'event: progress\ndata: {"tid":5,"progress":40,"detail_state":"Pulling"}\n\n',
  );
});

test("a stream starts after Last-Event-ID, else after ?after=, else now", async (t) => {
  const { send, calls } = await startServer(t);
  const startOf = async (query: string, headers: Record<string, string>) => {
    const { status } = await send(path + query, { headers });
    return status === 200 ? calls.pop()?.args[0] : status;
  };
  assert.equal(await startOf("", {}), undefined);
  assert.equal(await startOf("?after=7", {}), 7);
  assert.equal(await startOf("?after=7&sid=x", { "last-event-id": "9" }), 9);
  assert.equal(await startOf("?after=0", { "last-event-id": "" }), 0);
  for (const bad of ["x", "-1", "1.5", "1e3", "9".repeat(16)]) {
    assert.equal(await startOf(`?after=${bad}`, {}), 400, bad);
    assert.equal(await startOf("", { "last-event-id": bad }), 400, bad);
  }
});

test("a refused stream is an ordinary error, and HEAD opens none", async (t) => {
  const { send, answer, calls } = await startServer(t);
  assert.equal((await send(path, { method: "HEAD" })).status, 405);
  assert.equal(calls.length, 0);
  answer("events.stream", () => Promise.reject(new AppError("unauthenticated", "Log in first.")));
  const { status, json } = await send(path);
  assert.deepEqual([status, json.error.message], [401, "Log in first."]);
});

test("the service is told when the client goes", async (t) => {
  const { open, answer } = await startServer(t);
  const aborted = Promise.withResolvers<void>();
  answer("events.stream", (_caller: Caller, _after: unknown, signal: AbortSignal) => {
    signal.addEventListener("abort", () => aborted.resolve());
    return untilAborted(signal);
  });
  const socket = open();
  ask(socket);
  await once(socket, "data");
  socket.destroy();
  await aborted.promise;
});

test("a quiet stream has heartbeats and outlives the limits of a request", async (t) => {
  const short = { headers: 100, request: 100, check: 20, keepAlive: 100, read: 100 };
  const { open, answer } = await startServer(t, { ...short, stream: { ...limits, heartbeat: 50 } });
  answer("events.stream", (_caller: Caller, _after: unknown, signal: AbortSignal) => untilAborted(signal));
  const socket = open();
  let text = "";
  socket.on("data", (chunk) => (text += chunk));
  ask(socket);
  await setTimeout(500);
  assert.equal(socket.destroyed || socket.readableEnded, false);
  assert.ok(text.split(":\n\n").length > 4, text);
  socket.destroy();
});

test("closing the server ends the streams", async (t) => {
  const { open, answer, close } = await startServer(t);
  answer("events.stream", (_caller: Caller, _after: unknown, signal: AbortSignal) => untilAborted(signal));
  const socket = open();
  ask(socket);
  await once(socket, "data");
  const gone = closed(socket.resume());
  const begin = performance.now();
  await Promise.all([close(), gone]);
  assert.ok(performance.now() - begin < 10_000);
});

test("a stream that fails in the middle is cut", async (t) => {
  const { open, answer, logged } = await startServer(t);
  answer("events.stream", async function* () {
    yield event(1);
    await setTimeout(50);
    throw new Error("broken");
  });
  const text = await exchange(open(), `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  assert.match(text, /id: 1\n/);
  assert.deepEqual(
    logged.map(([message]) => message),
    ["An event stream failed"],
  );
  assert.doesNotMatch(text, /broken|\r\n0\r\n/);
});

test("a session that ends, ends its stream in good order", async (t) => {
  const { send, answer, logged } = await startServer(t);
  answer("events.stream", async function* () {
    yield event(1);
    throw new AppError("unauthenticated", "The session has ended.");
  });
  assert.match((await send(path)).text, /id: 1\n/);
  assert.equal(logged.length, 0);
});

test("a client that does not read is cut, with a bounded buffer", async (t) => {
  const { open, answer } = await startServer(t, { stream: { ...limits, heartbeat: 50 }, read: 300 });
  const ended = Promise.withResolvers<number>();
  const size = 100_000;
  answer("events.stream", async function* () {
    let count = 0;
    try {
      for (; count < 10_000; count++) yield event(count, "x".repeat(size));
    } finally {
      ended.resolve(count);
    }
  });
  const socket = open().pause();
  socket.on("error", () => {});
  ask(socket);
  const count = await ended.promise;
  // What the kernel holds for both ends comes on top of the station's own buffer.
  assert.ok(count * size < 32e6, `${count} events were taken`);
  socket.destroy();
});

test("a slow client gets a long history whole", async (t) => {
  const { open, answer } = await startServer(t, { stream: limits, read: 2_000 });
  const data = "x".repeat(10_000);
  answer("events.stream", () => streamOf(Array.from({ length: 1_000 }, (_, i) => event(i, data))));
  const socket = open();
  let length = 0;
  let tail = "";
  socket.on("data", (chunk: Buffer) => {
    length += chunk.length;
    tail = (tail + chunk).slice(-20_000);
    socket.pause();
    setImmediate(() => socket.resume());
  });
  ask(socket, "Connection: close\r\n");
  await closed(socket);
  assert.ok(length > 1_000 * 10_000);
  assert.match(tail, /id: 999\n/);
});
