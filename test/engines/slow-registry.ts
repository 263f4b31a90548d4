import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { randomLayer } from "../support/images.ts";

export interface SlowRegistry {
  /** host:port. `slow:1` takes two seconds or more, `broken:1` fails inside the registry. */
  host: string;
  close(): Promise<void>;
}

const megabyte = 1024 * 1024;
const pause = 200;

/** A registry that is slow on purpose, so that a pull can be stopped in its middle on every machine. */
export async function startSlowRegistry(): Promise<SlowRegistry> {
  const image = buildImage();
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    const blob = image.blobs.get(path.split("/blobs/")[1] ?? "");
    if (path.includes("/broken/")) respond(response, 500, "application/json", Buffer.from('{"errors":[{"code":"UNKNOWN","message":"out of order"}]}'));
    else if (path.includes("/slow/manifests/")) respond(response, 200, image.type, image.manifest, request.method === "HEAD");
    else if (blob) void trickle(response, blob).catch(() => response.destroy());
    else respond(response, path === "/v2/" ? 200 : 404, "application/json", Buffer.from("{}"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  async function close(): Promise<void> {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

function buildImage() {
  const layers = ["one", "two"].map((name) => randomLayer(name, 5 * megabyte));
  const packed = layers.map((layer) => gzipSync(layer, { level: 0 }));
  const diffIds = layers.map(digest);
  const config = Buffer.from(
    JSON.stringify({ architecture: process.arch === "x64" ? "amd64" : process.arch, os: "linux", config: { Cmd: ["sh"] }, rootfs: { type: "layers", diff_ids: diffIds } }),
  );
  const type = "application/vnd.docker.distribution.manifest.v2+json";
  const part = (mediaType: string, content: Buffer) => ({ mediaType, size: content.length, digest: digest(content) });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: part("application/vnd.docker.container.image.v1+json", config),
      layers: packed.map((layer) => part("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)),
    }),
  );
  return { type, manifest, blobs: new Map([config, ...packed].map((blob) => [digest(blob), blob])) };
}

/** Half a megabyte, a pause, and so on. */
async function trickle(response: ServerResponse, blob: Buffer): Promise<void> {
  response.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": blob.length });
  for (let at = 0; at < blob.length && !response.destroyed; at += megabyte / 2) {
    response.write(blob.subarray(at, at + megabyte / 2));
    if (blob.length > megabyte) await delay(pause);
  }
  response.end();
}

function respond(response: ServerResponse, status: number, type: string, body: Buffer, headOnly = false): void {
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": body.length,
    "Docker-Content-Digest": digest(body),
    "Docker-Distribution-Api-Version": "registry/2.0",
  });
  response.end(headOnly ? undefined : body);
}

function digest(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
