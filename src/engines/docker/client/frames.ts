import type { Readable } from "node:stream";

/** A piece of a container's output. */
export interface Frame {
  /** The stream that the container wrote it to. */
  stream: "stdout" | "stderr";
  /** What it wrote; pieces end anywhere. */
  data: Buffer;
}

const headSize = 8;

/**
 * Yields the output of a container without a terminal: frames with a head of 8 bytes, the first of them the stream, the
 * last four the length; see "Stream format" in Docker's API, ContainerAttach. Frames may come in pieces.
 */
export async function* readFrames(source: Readable): AsyncGenerator<Frame, void, undefined> {
  let head: Buffer = Buffer.alloc(0);
  let left = 0;
  let stream: Frame["stream"] = "stdout";
  for await (const chunk of source) {
    let rest = chunk as Buffer;
    while (rest.length > 0) {
      if (left === 0) {
        const taken = rest.subarray(0, headSize - head.length);
        head = Buffer.concat([head, taken]);
        rest = rest.subarray(taken.length);
        if (head.length < headSize) break;
        stream = head[0] === 2 ? "stderr" : "stdout";
        left = head.readUInt32BE(4);
        head = Buffer.alloc(0);
        continue;
      }
      const data = rest.subarray(0, left);
      left -= data.length;
      rest = rest.subarray(data.length);
      yield { stream, data };
    }
  }
}

/** Yields the output of a container with a terminal, which is one stream as it is. */
export async function* readTerminal(source: Readable): AsyncGenerator<Frame, void, undefined> {
  for await (const chunk of source) yield { stream: "stdout", data: chunk as Buffer };
}
