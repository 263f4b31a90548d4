import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { startServer } from "./harness.ts";

/** A request whose client goes, or whose server does. */

test("who hangs up is told to the service", async (t) => {
  const { answer, open } = await startServer(t);
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  answer("lifecycle.start", (_caller: unknown, _place: unknown, signal: AbortSignal) => {
    signal.addEventListener("abort", () => resolve());
    begun.resolve();
    return hungUp;
  });
  const socket = open();
  socket.write("PUT /api/v1/container/docker/web/start HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  await begun.promise;
  socket.destroy();
  await hungUp;
});

test("close lets a request under way finish and is quick about idle connections", async (t) => {
  const { send, close, answer, open } = await startServer(t);
  const idle = open();
  idle.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  await new Promise((resolve) => idle.once("data", resolve));
  const started = Promise.withResolvers<void>();
  answer("background.list", async () => {
    started.resolve();
    await setTimeout(150);
    return [];
  });
  const underWay = send("/api/v1/background", { headers: { connection: "keep-alive" } });
  await started.promise;
  const begin = performance.now();
  await close();
  assert.equal((await underWay).status, 200);
  assert.ok(performance.now() - begin < 4_000);
});
