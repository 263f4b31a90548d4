import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../../src/util/log.ts";
import { openCertificates } from "../../src/certificates/certificates.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import { open } from "./bundle.ts";

test("the gateway resets a client that takes nothing of what the engine sends, and leaves a slow one alone", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gateway-"));
  const path = join(folder, "engine.sock");
  // An engine whose answers never end.
  const engine = createServer((socket) => {
    const more = () => void (socket.write(Buffer.alloc(1 << 16)) && setImmediate(more));
    socket.on("drain", more).on("error", () => undefined);
    more();
  }).listen(path);
  await once(engine, "listening");
  const certificates = await openCertificates({ folder: join(folder, "tls") });
  const gateway = createGateway({
    listen: { host: "127.0.0.1", port: 0 },
    engine: { path },
    certificates,
    audit: { admitted: () => undefined, refused: () => undefined },
    log: silentLog,
    patience: 600,
  });
  const port = await gateway.start();
  t.after(async () => {
    await gateway.stop();
    engine.close();
    rmSync(folder, { recursive: true });
  });

  const { certificate: cert, key } = certificates.current().client;
  const stalled = open(port, { cert, key });
  const [ofStalled] = (await once(engine, "connection")) as [Socket];
  const stalledEnded = new Promise((resolve) => ofStalled.once("close", resolve));
  const slow = open(port, { cert, key });
  let [taken, slowEnded] = [0, false];
  slow.on("data", (chunk: Buffer) => {
    taken += chunk.length;
    slow.pause();
    setTimeout(() => slow.resume(), 1);
  });
  slow.on("error", () => undefined).once("close", () => (slowEnded = true));
  // The client sees the reset when it reads; the engine's connection goes with it.
  await stalledEnded;
  const before = taken;
  while (taken === before) await once(slow, "data");
  assert.equal(slowEnded, false);
  for (const client of [slow, stalled]) client.destroy();
});
