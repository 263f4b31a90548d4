import type { FastifyReply } from "fastify";

/** Returns a signal that aborts when the client has disconnected, or has its response. */
export function disconnectSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return gone.signal;
}
