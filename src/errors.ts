/**
 * The one error type of the station. A code says what kind of failure it is; the HTTP layer alone knows which status
 * that means. The message is one sentence for a person: what failed, where, and where possible what to do.
 */
export const errorCodes = [
  "invalid", // the request is wrong: a field is missing, malformed or unknown
  "unauthenticated", // no session, or an expired one
  "forbidden", // the session may not do this
  "not_found", // the thing named does not exist, or is not visible to this session
  "conflict", // a name or port is taken, or the thing is in the wrong state
  "misdirected", // the request was meant for another host
  "too_large", // the body is over its limit
  "unsupported_media", // a body encoding the station does not read
  "key_reused", // an Idempotency-Key came back with another body
  "too_many", // over a cap or a rate
  "cancelled", // the work was stopped on request
  "unsupported", // documented, but not part of this version
  "remote_failed", // a registry or image server failed
  "engine_unavailable", // the container engine does not answer
  "engine_failed", // the container engine answered with an error
  "timeout",
  "disk_full",
  "internal",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorOptions {
  /** The failure underneath. It is logged, never shown. */
  cause?: unknown;
  /** Facts for a program: the field, the task that is in the way, ... Shown to the caller. */
  details?: Record<string, unknown>;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.details = options.details;
  }
}

/** A refused field: `{field: "network.port"}` in the details, and the field's name in the message. */
export function invalid(field: string, reason: string): AppError {
  return new AppError("invalid", `${field} ${reason}`, { details: { field } });
}

/** Returns whether an error is an AppError of this code. */
export function hasCode(error: unknown, code: ErrorCode): error is AppError {
  return error instanceof AppError && error.code === code;
}

/** The sentence to show for any error; an unexpected one says only that. */
export function messageOf(error: unknown): string {
  return error instanceof AppError ? error.message : "The station failed unexpectedly; its log has the details.";
}
