import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { crc32 } from "node:zlib";

import { createCatalogue } from "../../src/engines/system-images/catalogue.ts";
import type { SystemImages } from "../../src/engines/system-images/system-images.ts";
import { tarOf } from "../support/images.ts";
import { fails } from "./engine-checks.ts";

/** An image server that means no good, and a store that somebody has damaged. */

const station = "6f1c1bb6-1d64-4a3b-9a3c-6f5f0a2c9d11";
const options = { signal: new AbortController().signal };
const served = new Map<string, string | Buffer>();
const server = createServer(({ url = "" }, response) => response.end(served.get(url) ?? "{}"));
let url = "";
before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => void server.close());

const archive = tarOf((root) => writeFileSync(join(root, "file"), "x"));

/** The server has this as `evil`, in its only build, and `index` for the way there. */
function offer(content: Buffer, product: object = {}, index?: string): void {
  const sha256 = createHash("sha256").update(content).digest("hex");
  const item = { ftype: "root.tar.xz", path: "image", sha256, size: content.length };
  const versions = { "20260101_0000": { items: { root: item } } };
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const products = { evil: { aliases: "evil", arch, os: "Evil", release: "one", versions, ...product } };
  served.set(
    "/streams/v1/index.json",
    JSON.stringify({ index: { a: { format: "products:1.0", path: index ?? "all" } } }),
  );
  served.set("/all", JSON.stringify({ products }));
  served.set("/image", content);
}

function newStore(folder = mkdtempSync(join(tmpdir(), "evil-"))): Promise<SystemImages> {
  return createCatalogue({ folder, server: url, station });
}

test("an index leads to no file of this host, and no such server is taken for one that is away", async () => {
  const images = await newStore();
  for (const path of ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[", "data:application/json,{}"]) {
    offer(archive, {}, path);
    await fails(images.pull("debian-bookworm:latest", options), "remote_failed", /does not go/);
  }
});

test("what a server says of itself is kept short", async () => {
  const images = await newStore();
  const long = "x".repeat(1_000_000);
  offer(archive, { os: long, release: { toString: 1 }, release_title: "two\nlines", version: long });
  await images.pull("evil:latest", options);
  assert.equal((await images.rootfs("evil:latest"))?.description, "");
  const failure = await images.pull("evil:other", options).catch((error: unknown) => error);
  assert.ok(failure instanceof Error && failure.message.length < 1000, "the refusal names what is fit to be read");
});

test("an archive that asks for gigabytes of memory is refused", async () => {
  const images = await newStore();
  offer(withDictionary(archive, 24));
  await images.pull("evil:latest", options);
  offer(withDictionary(archive, 39));
  await fails(images.pull("evil:latest", options), "remote_failed", /xz/);
});

/** Packed with xz, whose header says that it takes a dictionary of 2^(size / 2 + 12) bytes. */
function withDictionary(tar: Buffer, size: number): Buffer {
  const packed = execFileSync("xz", ["-0", "-c"], { input: tar });
  const header = packed.subarray(12, 12 + (packed.readUInt8(12) + 1) * 4);
  header.writeUInt8(size, header.indexOf(Buffer.from([0x21, 0x01])) + 2);
  header.writeUInt32LE(crc32(header.subarray(0, -4)), header.length - 4);
  return packed;
}

test("a store with a damaged record can be used, and the image be had again", async () => {
  offer(archive);
  const folder = mkdtempSync(join(tmpdir(), "evil-"));
  const images = await newStore(folder);
  await images.pull("evil:latest", options);
  const [id = ""] = readdirSync(folder);
  for (const record of ["", "null", "[]", '{"id": "x", "tags": null}', "{"]) {
    writeFileSync(join(folder, id, "image.json"), record);
    assert.deepEqual(await images.list(), []);
    await images.pull("evil:latest", options);
    assert.equal((await images.list())[0]?.id, id);
    writeFileSync(join(folder, id, "image.json"), record);
    const next = await newStore(folder);
    assert.deepEqual(await next.list(), []);
    assert.deepEqual(readdirSync(folder), []);
    await next.pull("evil:latest", options);
  }
  mkdirSync(join(folder, "0".repeat(64)));
  await newStore(folder);
  assert.deepEqual(readdirSync(folder), [id]);
});
