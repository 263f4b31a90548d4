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
const outOfOrder = Buffer.from('{"errors":[{"code":"UNKNOWN","message":"out of order"}]}');

/** A registry that is slow on purpose, so that a pull can be stopped in its middle on every machine. */
export async function startSlowRegistry(): Promise<SlowRegistry> {
  const image = buildImage();
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    const blob = image.blobs.get(path.split("/blobs/")[1] ?? "");
    if (blob) void trickle(response, blob).catch(() => response.destroy());
    else if (path.includes("/slow/manifests/"))
      respond(response, { status: 200, type: image.type, body: image.manifest });
    else if (path.includes("/broken/")) respond(response, { status: 500, type: "application/json", body: outOfOrder });
    else respond(response, { status: path === "/v2/" ? 200 : 404, type: "application/json", body: Buffer.from("{}") });
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
    JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: { Cmd: ["sh"] },
      rootfs: { type: "layers", diff_ids: diffIds },
    }),
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

interface Answer {
  status: number;
  type: string;
  body: Buffer;
}

/** To HEAD, node sends the headers only. */
function respond(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": body.length,
    "Docker-Content-Digest": digest(body),
    "Docker-Distribution-Api-Version": "registry/2.0",
  });
  response.end(body);
}

function digest(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
