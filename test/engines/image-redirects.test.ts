import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";

import { createCatalogue, type CatalogueOptions } from "../../src/engines/system-images/catalogue.ts";
import type { SystemImages } from "../../src/engines/system-images/system-images.ts";
import { fails } from "./engine-checks.ts";
import { startImageServer, type ImageServer } from "./image-server.ts";

/** Where an image server may send the station on to. */

const station = "6f1c1bb6-1d64-4a3b-9a3c-6f5f0a2c9d11";
let images: ImageServer;
/** Answers each path as the test says; else as `images`, to which it sends on. */
const front = createServer((request, response) => {
  const path = request.url ?? "";
  asked.push({ path, headers: request.headers });
  response.writeHead(302, { location: sendOn(path) ?? `${images.url}${path}` }).end();
});
/** A place that nobody is to be sent on to. */
const secret = createServer((_request, response) => {
  reached++;
  response.end("{}");
});
let sendOn: (path: string) => string | undefined = () => undefined;
let asked: { path: string; headers: IncomingHttpHeaders }[] = [];
let reached = 0;

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

before(async () => {
  images = await startImageServer();
  for (const server of [front, secret]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
});
after(async () => {
  await images.close();
  front.close();
  secret.close();
});
beforeEach(() => {
  sendOn = () => undefined;
  asked = [];
  reached = 0;
});

function catalogue(options: Partial<CatalogueOptions> = {}): Promise<SystemImages> {
  const folder = mkdtempSync(join(tmpdir(), "redirects-"));
  return createCatalogue({ folder, server: `http://127.0.0.1:${portOf(front)}`, station, ...options });
}

const pull = (from: SystemImages) => from.pull("test-base:latest", { signal: AbortSignal.timeout(20_000) });

test("a server sends on to no other host or port, be it for the index or an image, unless an admin has named it", async () => {
  const elsewhere = `http://127.0.0.1:${portOf(secret)}/x`;
  const named = [new URL(images.url).host];
  await fails(pull(await catalogue()), "remote_failed", /sends on to 127\.0\.0\.1:\d+, where this station does not go/);
  await pull(await catalogue({ hosts: named }));
  sendOn = () => elsewhere;
  await fails(pull(await catalogue({ hosts: named })), "remote_failed", /sends on to/);
  for (const place of [
    elsewhere,
    elsewhere.replace("127.0.0.1", "localhost"),
    elsewhere.replace("http:", "ftp:"),
    "http://[",
  ]) {
    sendOn = (path) => (path.startsWith("/images/") ? place : undefined);
    asked = [];
    await fails(pull(await catalogue({ hosts: named })), "remote_failed", /sends on to/);
    assert.ok(
      asked.some(({ path }) => path.startsWith("/images/")),
      "it was the image that was sent on",
    );
  }
  assert.equal(reached, 0);
});

test("an image server at an address that is set aside, or at a port of the station, is not asked", async () => {
  const judge = {
    refusal: (address: string, port: number) =>
      port === portOf(secret) ? `port ${port} of this host (${address})` : undefined,
    isInside: () => true,
  };
  for (const host of ["127.0.0.1", "localhost"])
    await fails(
      pull(await catalogue({ judge, server: `http://${host}:${portOf(secret)}` })),
      "remote_failed",
      /leads to port/,
    );
  for (const server of ["http://169.254.169.254", "http://0.0.0.0:1", "http://[::ffff:169.254.169.254]"])
    await fails(pull(await catalogue({ server })), "remote_failed", /leads to .*set aside/);
  assert.equal(reached, 0);
});

test("a server that was outside leads to nothing inside any more, by a name as little as by an address", async () => {
  let inside = false;
  const judge = { refusal: () => undefined, isInside: () => inside };
  const hosts = [new URL(images.url).host, `127.0.0.1:${portOf(secret)}`, `localhost:${portOf(secret)}`];
  for (const host of ["127.0.0.1", "localhost"]) {
    inside = false;
    sendOn = () => {
      inside = true;
      return `http://${host}:${portOf(secret)}/x`;
    };
    await fails(pull(await catalogue({ judge, hosts })), "remote_failed", /leads from the internet to this host/);
  }
  assert.equal(reached, 0);
});

test("a login in the server's address goes to that server alone", async () => {
  const server = `http://user:pass@127.0.0.1:${portOf(front)}`;
  const seen: (string | undefined)[] = [];
  const other = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end("{}");
  }).listen(0, "127.0.0.1");
  await once(other, "listening");
  try {
    sendOn = () => `http://user:pass@127.0.0.1:${portOf(other)}/x`;
    await fails(pull(await catalogue({ server, hosts: [`127.0.0.1:${portOf(other)}`] })), "not_found");
    assert.deepEqual(seen, [undefined]);
    assert.match(asked[0]?.headers.authorization ?? "", /^Basic /);
  } finally {
    other.close();
  }
});
