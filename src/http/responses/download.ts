import type { FastifyReply } from "fastify";
import { Readable } from "node:stream";
import type { Download } from "../../services/contract/services.ts";

/** Sends a file that the client saves and does not show. For a HEAD no content is made. */
export function sendDownload(reply: FastifyReply, { name, type, content }: Download): FastifyReply {
  const sent = reply.request.method === "HEAD" ? [] : content;
  return reply
    .type(type)
    .header("content-disposition", `attachment; filename="${name}"`)
    .send(Readable.from(sent, { objectMode: false }));
}
