import type { FastifyReply } from "fastify";
import { Readable } from "node:stream";
import { paced } from "../../util/pacing.ts";
import { jsonType, prettyJsonList } from "./json.ts";

/** Texts of a list that comes in one part: its items, and the end. */
const textsOfShortList = 2;

/**
 * Sends a list while it is read from the store, no faster than the client reads, and so that other requests are answered
 * meanwhile. A short list is sent at once, with its length.
 */
export async function sendList(reply: FastifyReply, parts: AsyncIterable<readonly unknown[]>): Promise<FastifyReply> {
  const texts = prettyJsonList(parts);
  const begin: string[] = [];
  for (let next = await texts.next(); ; next = await texts.next()) {
    if (next.done) return reply.type(jsonType).send(Buffer.from(begin.join("")));
    begin.push(next.value);
    if (begin.length > textsOfShortList) break;
  }
  async function* all(): AsyncGenerator<string> {
    yield begin.splice(0).join("");
    yield* paced(texts);
  }
  // The length of a long list is not known before its end.
  const sent = reply.request.method === "HEAD" ? [] : all();
  return reply.type(jsonType).send(Readable.from(sent, { objectMode: false }));
}
