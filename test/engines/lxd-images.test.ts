import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import type { Engine } from "../../src/engines/engine.ts";
import { createLxdEngine } from "../../src/engines/lxd/lxd.ts";
import { defaultJudge } from "../../src/engines/system-images/connection-guard.ts";
import { startLxd } from "../support/lxd.ts";
import { fails } from "./engine-checks.ts";
import { startImageServer, type ImageServer } from "./image-server.ts";

/** Images of LXD come by the station, which goes where it may and nowhere else. */

const folder = mkdtempSync(join(tmpdir(), "lxd-images-"));
const signal = AbortSignal.timeout(60_000);
let images: ImageServer;
let engine: Engine;
/** Sends the index on to `images`, and everything else to where the test says. */
const front = createServer(({ url = "", headers }, response) => {
  agents.add(headers["user-agent"] ?? "");
  if (changed && url.endsWith("/root.tar.xz")) {
    void respondChanged(url, response);
    return;
  }
  response.writeHead(302, { location: `${url.startsWith("/streams/") ? images.url : elsewhere}${url}` }).end();
});
const agents = new Set<string>();
let elsewhere = "";
/** A byte of every root file system is another one. */
let changed = false;
let reached = 0;
const secret = createServer((_request, response) => {
  reached++;
  response.end();
});

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

before(async () => {
  images = await startImageServer();
  for (const server of [front, secret]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  engine = createLxdEngine({
    socket: (await startLxd()).socket,
    imageServer: images.url,
    imageServers: { front: `http://127.0.0.1:${portOf(front)}`, metadata: "http://169.254.169.254" },
    fetching: { folder, env: {}, hosts: [new URL(images.url).host], judge: defaultJudge },
  });
});
after(async () => {
  const left = await engine.images.get("test/base");
  if (left) await engine.images.remove(left.id);
  engine.close();
  front.close();
  secret.close();
  await images.close();
});

test("a server sends LXD's images on to no other host, and LXD itself asks nobody", async () => {
  await forget("test/base");
  elsewhere = `http://127.0.0.1:${portOf(secret)}`;
  await fails(engine.images.pull("front:test/base", { signal }), "remote_failed", /sends on to 127\.0\.0\.1/);
  await fails(engine.images.pull("metadata:test/base", { signal }), "remote_failed", /set aside/);
  assert.equal(reached, 0);
  elsewhere = images.url;
  await engine.images.pull("front:test/base", { signal });
  assert.deepEqual([...agents], ["gantry"]);
});

test("an image is found by its fingerprint or the beginning of it, and downloaded once", async () => {
  const { id = "" } = (await engine.images.get("test/base")) ?? {};
  const before = images.downloads("test/base");
  await engine.images.pull(id, { signal });
  await engine.images.pull("test/base", { signal });
  assert.equal(images.downloads("test/base"), before);
  await engine.images.remove(id);
  await engine.images.pull(id.slice(0, 12), { signal });
  assert.equal((await engine.images.get(id))?.id, id);
  await fails(engine.images.pull("0".repeat(64), { signal }), "not_found", /has no image/);
});

test("what is cut off or is not what the index says leaves nothing", async () => {
  for (const name of ["cut", "short"]) await fails(engine.images.pull(`test/${name}`, { signal }), "remote_failed");
  for (const name of ["cut", "short"]) assert.equal(await engine.images.get(`test/${name}`), undefined);
  await forget("test/other");
  elsewhere = images.url;
  changed = true;
  const soon = { signal: AbortSignal.timeout(10_000) };
  await fails(engine.images.pull("front:test/other", soon), "remote_failed", /wrong SHA-256/);
  assert.equal(await engine.images.get("test/other"), undefined);
  assert.deepEqual(readdirSync(folder), []);
});

/** Another test may have left the image in LXD, under whatever name: what is there is not downloaded. */
async function forget(name: string): Promise<void> {
  await engine.images.pull(name, { signal });
  await engine.images.remove((await engine.images.get(name))?.id ?? "");
}

async function respondChanged(url: string, response: ServerResponse): Promise<void> {
  const content = Buffer.from(await (await fetch(`${images.url}${url}`)).arrayBuffer());
  content.writeUInt8(content.readUInt8(content.length - 1) ^ 1, content.length - 1);
  response.end(content);
}
