import type { FastifyInstance, FastifyRequest } from "fastify";
import type { IncomingMessage } from "node:http";
import { constants, Http2ServerRequest } from "node:http2";
import type { Readable } from "node:stream";
import { AppError } from "../../errors.ts";

/** Bytes of request bodies that may be in memory at once: so many of the first 16 KiB of each, and so many of the rest. */
export interface BodyBudget {
  /** Of all clients. */
  total: number;
  /** Of one address. */
  perAddress: number;
}

/** Logins and verbs are shorter than this, so they get in while large bodies use their budget up. */
const headSize = 16 * 1024;

/**
 * Holds request bodies to a budget, from their first byte until they are answered: each is small, but there may be thousands
 * of connections. Refuses a body with 429 if its length says that it does not fit, and cuts one that grows over the budget.
 */
export function limitPendingBodies(app: FastifyInstance, budget: BodyBudget): void {
  const [heads, rests] = [createLedger(budget), createLedger(budget)];

  app.addHook("preParsing", (request: FastifyRequest, reply, payload: Readable, done) => {
    // The body of a request that reads is never read itself.
    if (request.method === "GET" || request.method === "HEAD") return done(null, payload);
    const { ip: address } = request;
    const length = Number(request.headers["content-length"] ?? 0);
    // Refused with 413 before anything of it is read.
    if (length > request.routeOptions.bodyLimit) return done(null, payload);
    if (!heads.fits(address, Math.min(length, headSize)) || !rests.fits(address, length - headSize)) {
      // Nothing of it is read, so no other request can come behind it.
      if (request.raw.httpVersionMajor === 1) reply.header("connection", "close");
      return done(tooMuch());
    }
    let [head, rest] = [0, 0];
    const count = (chunk: Buffer | string): void => {
      const ofHead = Math.min(chunk.length, headSize - head);
      const ofRest = chunk.length - ofHead;
      if (!heads.fits(address, ofHead) || !rests.fits(address, ofRest)) return cut(request.raw);
      heads.add(address, ofHead);
      rests.add(address, ofRest);
      head += ofHead;
      rest += ofRest;
    };
    payload.on("data", count);
    reply.raw.once("close", () => {
      // What comes after an early answer is dropped, and must not be counted.
      payload.off("data", count);
      heads.add(address, -head);
      rests.add(address, -rest);
    });
    done(null, payload);
  });
}

/** Counts bytes of all addresses and of each. What is not positive always fits. */
function createLedger({ total: most, perAddress }: BodyBudget) {
  const byAddress = new Map<string, number>();
  let total = 0;
  return {
    fits(address: string, bytes: number): boolean {
      return bytes <= 0 || (total + bytes <= most && (byAddress.get(address) ?? 0) + bytes <= perAddress);
    },
    add(address: string, bytes: number): void {
      total += bytes;
      const sum = (byAddress.get(address) ?? 0) + bytes;
      if (sum === 0) byAddress.delete(address);
      else byAddress.set(address, sum);
    },
  };
}

function tooMuch(): AppError {
  return new AppError("too_many", "Too much is being sent at once; try again in a moment.", {
    details: { retryAfter: 1 },
  });
}

/** Ends the connection, or in HTTP/2 the stream, in the middle of a body. */
function cut(request: IncomingMessage): void {
  const second: unknown = request;
  if (second instanceof Http2ServerRequest) second.stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  else request.destroy();
}
