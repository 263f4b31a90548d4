import { open } from "node:fs/promises";
import { lastLogLines } from "../processes/last-log-lines.ts";
import { type KeptLog, outputLimit } from "../container-life.ts";

/**
 * Returns the end of a console: of the file that LXC writes it to and of the one before it, to which it turns that one
 * when it is full. `undefined`: there is no such file.
 */
export async function readConsoleFile(file: string, lines: number): Promise<KeptLog | undefined> {
  const present = await readEnd(file, outputLimit);
  const before = await readEnd(`${file}.1`, outputLimit - (present?.bytes.length ?? 0));
  if (!present && !before) return undefined;
  const text = Buffer.concat([before?.bytes ?? empty, present?.bytes ?? empty]).toString("utf8");
  // Of what was before a second file nothing is known.
  return lastLogLines(text, lines, before !== undefined || (present?.size ?? 0) > (present?.bytes.length ?? 0));
}

const empty = Buffer.alloc(0);

async function readEnd(file: string, limit: number): Promise<{ bytes: Buffer; size: number } | undefined> {
  const log = await open(file, "r").catch(() => undefined);
  if (!log) return undefined;
  try {
    const { size } = await log.stat();
    const buffer = Buffer.alloc(Math.min(size, limit));
    const { bytesRead } = await log.read(buffer, 0, buffer.length, size - buffer.length);
    return { bytes: buffer.subarray(0, bytesRead), size };
  } finally {
    await log.close();
  }
}
