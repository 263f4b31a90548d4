import type { FastifyRequest } from "fastify";
import { AppError } from "../../errors.ts";
import type { AddOptions } from "../../services/contract/services.ts";

const none: AddOptions = {};

/** Returns the options of a new task by the request's Idempotency-Key header. Throws `invalid` for a malformed key. */
export function addOptions(request: FastifyRequest): AddOptions {
  const key = request.raw.headers["idempotency-key"];
  if (key === undefined) return none;
  if (typeof key === "string" && /^[\x20-\x7e]{1,255}$/.test(key)) return { idempotencyKey: key };
  throw new AppError("invalid", "Idempotency-Key must be 1 to 255 printable ASCII characters.", {
    details: { field: "Idempotency-Key" },
  });
}
