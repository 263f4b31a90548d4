import { type FileHandle, open } from "node:fs/promises";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { AppError } from "../../errors.ts";
import { cancelled } from "./failures.ts";
import { startProgram, type Program } from "./program.ts";

/** What is packed, and where to. */
export interface PackOptions {
  /** The path of the archive that is written. */
  file: string;
  /** The task that it belongs to, as STATION/TASK. */
  task: string;
  /** Stops it; it throws `cancelled` then. */
  signal: AbortSignal;
}

const formats: readonly { magic: string; unpack: Command }[] = [
  // Ten times of what its highest level needs; an archive may ask for 4 GiB.
  { magic: "fd377a585a00", unpack: ["xz", "-dc", "-q", "--memlimit-decompress=700MiB"] },
  { magic: "1f8b", unpack: ["gzip", "-dc", "-q"] },
  { magic: "28b52ffd", unpack: ["zstd", "-dc", "-q"] },
];
/** A tar that is not packed says what it is at this place. */
const tarMark = { text: "ustar", at: 257 };
const needed = tarMark.at + tarMark.text.length;
const compress = ["zstd", "-1", "-q", "-c"] as const;

/** Packs a tar with zstd, on the disk when it resolves. Whatever the source is packed with is taken off first. */
export async function pack(source: AsyncIterable<Buffer>, options: PackOptions): Promise<void> {
  const { head, all, leave } = await peek(source);
  try {
    const unpack = unpackerOf(head);
    const file = await open(options.file, "wx", 0o600);
    try {
      await fill(file, { ...options, unpack, source: all });
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (options.signal.aborted) throw cancelled(error);
    throw error;
  } finally {
    await leave();
  }
}

type Command = readonly [string, ...string[]];

/** Returns what unpacks an archive that begins so; undefined when it is not packed. */
function unpackerOf(head: Buffer): Command | undefined {
  const magic = head.toString("hex");
  const format = formats.find((format) => magic.startsWith(format.magic));
  if (format) return format.unpack;
  if (head.subarray(tarMark.at).toString("latin1") === tarMark.text) return undefined;
  throw new AppError("remote_failed", "The archive of the image is none that this station can read.");
}

interface Filling extends Omit<PackOptions, "file"> {
  source: AsyncIterable<Buffer>;
  unpack: Command | undefined;
}

async function fill(file: FileHandle, { source, unpack, task, signal }: Filling): Promise<void> {
  const zstd = startProgram(compress, { task, signal, stdio: ["pipe", file.fd, "pipe"] });
  const input = zstd.child.stdin as Writable;
  if (!unpack) return feed(source, input, [zstd]);
  // The kernel joins the two: what is unpacked does not pass through here.
  const unpacker = startProgram(unpack, { task, signal, stdio: ["pipe", input, "pipe"] });
  input.destroy();
  const done = unpacker.done.catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== "engine_failed") throw error;
    throw new AppError("remote_failed", `The archive of the image is damaged (${unpack[0]}).`, { cause: error });
  });
  done.catch(() => undefined);
  await feed(source, unpacker.child.stdin as Writable, [zstd, { ...unpacker, done }]);
}

/**
 * Writes a source into a chain of programs. When one ended early its own error is thrown, not that nothing could be
 * written to it any more. The last of the chain comes first: where it fails, those before it fail too.
 */
async function feed(source: AsyncIterable<Buffer>, into: Writable, chain: Program[]): Promise<void> {
  const ended = async (): Promise<void> => {
    for (const { done } of chain) await done;
  };
  try {
    await pipeline(source, into);
  } catch (cause) {
    // What went wrong first is the reason of the rest.
    const error: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
    if (/EPIPE|ECONNRESET|ERR_STREAM_PREMATURE_CLOSE/.test((error as NodeJS.ErrnoException).code ?? "")) await ended();
    for (const { kill } of chain) kill();
    await Promise.allSettled(chain.map(({ done }) => done));
    throw error;
  }
  await ended();
}

interface Peeked {
  /** Its first bytes. */
  head: Buffer;
  /** All of it. */
  all: AsyncIterable<Buffer>;
  /** Ends the source where it is not read to its end. */
  leave(): Promise<void>;
}

async function peek(source: AsyncIterable<Buffer>): Promise<Peeked> {
  const rest = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < needed) {
    const next = await rest.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Buffer, void, undefined> {
    yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  }
  return { head: head.subarray(0, needed), all: all(), leave: async () => void (await rest.return?.()) };
}
