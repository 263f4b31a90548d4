import type { Readable } from "node:stream";

/** A line longer than this is no line of Docker. */
const longest = 16 * 1024 * 1024;

/** Objects one after another, one in a line; a cut stream throws. Only what is new is looked through for a line's end. */
export async function* jsonLines(stream: Readable): AsyncGenerator<unknown, void, undefined> {
  const decoder = new TextDecoder();
  let begun: string[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const [first = "", ...more] = decoder.decode(chunk as Buffer, { stream: true }).split("\n");
    begun.push(first);
    length += first.length;
    if (length > longest) throw new Error("a line of Docker's answer is too long");
    if (more.length === 0) continue;
    const last = more.pop() ?? "";
    for (const line of [begun.join(""), ...more]) if (line.trim() !== "") yield JSON.parse(line);
    begun = [last];
    length = last.length;
  }
  const rest = begun.join("");
  if (rest.trim() !== "") yield JSON.parse(rest);
}

export async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
