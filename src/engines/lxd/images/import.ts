import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

import { hasCode } from "../../../errors.ts";
import type { Rootfs } from "../../system-images/system-images.ts";
import { cancelled } from "../failures.ts";
import type { Upload } from "../../shared/http-connection.ts";
import type { LxdHttp } from "../client/http.ts";
import type { Operations } from "../client/operations.ts";

/** Sending is quick and unpacking is not asked for, but a busy disk is slow. */
const patience = 600_000;

/**
 * Gives LXD a root file system as an image, and returns its fingerprint. What is there already is not sent again. After
 * an abort nothing is left of what was sent: LXD cannot be stopped once it has all, so its end is waited for.
 */
export async function importRootfs(
  { http, operations }: { http: LxdHttp; operations: Operations },
  rootfs: Rootfs,
  signal: AbortSignal,
): Promise<string> {
  const metadata = metadataTar(rootfs);
  const fingerprint = await fingerprintOf(metadata, rootfs.archive, signal);
  if (await http.find(`/1.0/images/${fingerprint}`, signal)) return fingerprint;
  const image = { fingerprint, metadata, root: rootfs.archive, name: rootfs.id };
  await importImage(operations, image, signal);
  return fingerprint;
}

/** Two files in LXD's own form. */
export interface ImageFiles {
  /** The SHA-256 over both files: 64 hex digits. */
  fingerprint: string;
  /** The tar with metadata.yaml. */
  metadata: Buffer;
  /** Path of the packed root file system. */
  root: string;
  /** A name for the file that LXD gets. */
  name: string;
}

/** Gives LXD an image that it does not have; as `importRootfs`. */
export async function importImage(
  operations: Operations,
  { fingerprint, metadata, root, name }: ImageFiles,
  signal: AbortSignal,
): Promise<void> {
  const path = `/1.0/images/${fingerprint}`;
  const upload = await multipart(metadata, root);
  const begun = await operations.begin(
    {
      method: "POST",
      path: "/1.0/images",
      upload,
      headers: { "X-LXD-filename": name },
      signal,
      timeout: patience,
    },
    signal,
  );
  let operation = begun;
  while (operation && operation.status_code < 200) operation = await operations.wait(operation.id, 20_000);
  try {
    if (operation) operations.check(operation);
  } catch (error) {
    // Somebody else has sent it meanwhile.
    if (!/same fingerprint already exists/.test(operation?.err ?? "")) throw error;
  }
  if (!signal.aborted) return;
  await operations.run({ method: "DELETE", path }).catch((error: unknown) => {
    if (!hasCode(error, "not_found")) throw error;
  });
  throw cancelled();
}

/** Returns an image's fingerprint as LXD makes it: over both files, as they are sent. */
async function fingerprintOf(metadata: Buffer, archive: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256").update(metadata);
  for await (const chunk of createReadStream(archive) as AsyncIterable<Buffer>) {
    if (signal.aborted) throw cancelled();
    hash.update(chunk);
  }
  return hash.digest("hex");
}

async function multipart(metadata: Buffer, archive: string): Promise<Upload> {
  const boundary = `gantry-${randomUUID()}`;
  const head = (name: string): Buffer =>
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${name}"\r\n` +
        "Content-Type: application/octet-stream\r\n\r\n",
    );
  const before = Buffer.concat([head("metadata"), metadata, Buffer.from("\r\n"), head("rootfs")]);
  const after = Buffer.from(`\r\n--${boundary}--\r\n`);
  const { size } = await stat(archive);
  async function* open(): AsyncGenerator<Buffer, void, undefined> {
    yield before;
    yield* createReadStream(archive) as AsyncIterable<Buffer>;
    yield after;
  }
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    length: before.length + size + after.length,
    open,
  };
}

/** Returns the metadata of an image. The same root file system gives the same bytes, and so the same fingerprint. */
function metadataTar({ architecture, description, created }: Rootfs): Buffer {
  const [os = "", release = ""] = description.split(" ");
  const properties = { architecture, description, os, release };
  // JSON is YAML.
  const content = Buffer.from(`${JSON.stringify({ architecture, creation_date: created, properties })}\n`);
  return tarOfOne("metadata.yaml", content, created);
}

/** Returns a tar (ustar) of one small file; see tar(5). */
function tarOfOne(name: string, content: Buffer, time: number): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  header.write(name, 0);
  header.write(`${octal(0o644, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100);
  header.write(`${octal(content.length, 11)}\0${octal(time, 11)}\0`, 124);
  header.write(" ".repeat(8), 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}
