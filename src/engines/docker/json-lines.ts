import type { Readable } from "node:stream";

/** A line longer than this is no line of Docker. */
const longest = 16 * 1024 * 1024;

/** Objects one after another, one in a line; a cut stream throws. */
export async function* jsonLines(stream: Readable): AsyncGenerator<unknown, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk as Buffer, { stream: true });
    if (rest.length > longest) throw new Error("a line of Docker's answer is too long");
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line);
  }
  if (rest.trim() !== "") yield JSON.parse(rest);
}

export async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
