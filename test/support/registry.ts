import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

/** An image as a registry keeps it; every layer is a tar. */
export interface ImageSource {
  layers: readonly Buffer[];
  /** The `config` object of the image: Cmd, Env, ... */
  config?: Record<string, unknown>;
}

export interface PushOptions {
  registry: string;
  /** `repository:tag`. */
  reference: string;
  login?: { username: string; password: string };
}

interface Descriptor {
  mediaType: string;
  size: number;
  digest: string;
}

const created = "2026-01-01T00:00:00Z";

/** Puts an image into a registry by the registry's own API, without an engine. */
export async function pushImage(image: ImageSource, options: PushOptions): Promise<void> {
  const [repository = "", tag = "latest"] = options.reference.split(":");
  const target: Target = { base: `http://${options.registry}/v2/${repository}`, headers: headersOf(options) };
  const layers: Descriptor[] = [];
  for (const layer of image.layers) {
    const type = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    layers.push(await putBlob(target, gzipSync(layer, { level: 0 }), type));
  }
  const config = {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    created,
    config: image.config ?? {},
    rootfs: { type: "layers", diff_ids: image.layers.map(digest) },
    history: image.layers.map(() => ({ created, created_by: "gantry test" })),
  };
  const type = "application/vnd.docker.container.image.v1+json";
  const configBlob = await putBlob(target, Buffer.from(JSON.stringify(config)), type);
  const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config: configBlob, layers });
  const headers = { ...target.headers, "content-type": mediaType };
  await send(`${target.base}/manifests/${tag}`, { method: "PUT", headers, body: manifest });
}

interface Target {
  base: string;
  headers: Record<string, string>;
}

async function putBlob(target: Target, content: Buffer, mediaType: string): Promise<Descriptor> {
  const blob = { mediaType, size: content.length, digest: digest(content) };
  const there = await fetch(`${target.base}/blobs/${blob.digest}`, { method: "HEAD", headers: target.headers });
  if (there.ok) return blob;
  const upload = await send(`${target.base}/blobs/uploads/`, { method: "POST", headers: target.headers });
  const url = new URL(upload.headers.get("location") ?? "", target.base);
  url.searchParams.set("digest", blob.digest);
  const headers = { ...target.headers, "content-type": "application/octet-stream" };
  await send(url.href, { method: "PUT", headers, body: new Uint8Array(content) });
  return blob;
}

async function send(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${init.method ?? "GET"} ${url}: ${response.status} ${text}`);
  return response;
}

function headersOf({ login }: PushOptions): Record<string, string> {
  if (!login) return {};
  return { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}` };
}

function digest(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
