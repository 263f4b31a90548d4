import type { Readable } from "node:stream";

import { unreadable } from "../failures.ts";

/** A line longer than this is no line of Docker. */
const longest = 16 * 1024 * 1024;

/**
 * Yields objects that come one after another, one in a line. Throws `engine_failed` for what is no such line; when the stream
 * is cut, also in the middle of a line, an error that is no `AppError`. Only what is new is looked through for a line's end.
 */
export async function* jsonLines(stream: Readable): AsyncGenerator<object, void, undefined> {
  const decoder = new TextDecoder();
  let begun: string[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const [first = "", ...more] = decoder.decode(chunk as Buffer, { stream: true }).split("\n");
    begun.push(first);
    length += first.length;
    if (length > longest) throw unreadable(new Error("a line is too long"));
    if (more.length === 0) continue;
    const last = more.pop() ?? "";
    for (const line of [begun.join(""), ...more]) if (line.trim() !== "") yield parse(line);
    begun = [last];
    length = last.length;
  }
  const rest = begun.join("").trim();
  if (rest !== "") yield rest.startsWith("{") ? parseWhole(rest) : parse(rest);
}

/** The last line may be cut. */
function parseWhole(line: string): object {
  try {
    return parse(line);
  } catch (cause) {
    throw new Error("the answer ended in the middle of a line", { cause });
  }
}

function parse(line: string): object {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw unreadable(cause);
  }
  if (typeof value !== "object" || value === null) throw unreadable(new Error("a line is no object"));
  return value;
}

/** Returns a stream as UTF-8. */
export async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
