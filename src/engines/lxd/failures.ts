import { AppError } from "../../errors.ts";
import { toSentence } from "../shared/error-text.ts";

/** LXD's own words -> the station's errors. */

/** What LXD said, for those who decide by it. */
interface LxdCause {
  status: number;
  reason: string;
}

/**
 * Returns the `engine_unavailable` for a connection that failed before or in the middle of an answer: what became of
 * the call is unknown.
 */
export function connectionFailure(cause: unknown, socket: string): AppError {
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  const reason = code ?? (cause instanceof Error ? cause.message : String(cause));
  return new AppError("engine_unavailable", `LXD does not answer at ${socket} (${reason}).`, {
    cause,
    details: { engine: "lxd" },
  });
}

/** Returns the `cancelled` for a call that the signal stopped. */
export function cancelled(cause?: unknown): AppError {
  return new AppError("cancelled", "The call to LXD was stopped on request.", { cause });
}

/**
 * Returns the error for a refusal of LXD: an HTTP status of 400 and above, or the same number as the end of an
 * operation.
 */
export function refusal(status: number, reason: string): AppError {
  const cause: LxdCause = { status, reason };
  if (/no space left on device|disk quota exceeded/i.test(reason))
    return new AppError("disk_full", "LXD's disk is full.", { cause });
  // An operation that meets a removal fails with 400.
  if (status === 404 || /^instance not found/i.test(reason))
    return new AppError("not_found", `LXD: ${toSentence(reason)}`, { cause });
  if (status === 409) return new AppError("conflict", `LXD: ${toSentence(reason)}`, { cause });
  return new AppError("engine_failed", `LXD: ${toSentence(reason)}`, { cause });
}

/** Returns the `conflict` for a create whose name is taken; else the error as it is. */
export function createFailure(error: unknown, name: string): unknown {
  const taken = /"instances" entry already exists|instance .*already exists|name is already in use/i;
  // Another creation of the name is on its way.
  if (taken.test(reasonOf(error)) || isBusy(error)) {
    return new AppError("conflict", `The name ${name} is taken by another LXD container.`, { cause: error });
  }
  return error;
}

/** Returns whether LXD refused because it does something else with the container at this moment. */
export function isBusy(error: unknown): boolean {
  return /is busy running|non-reusable operation/i.test(reasonOf(error));
}

/** Returns what LXD said, for an error of `refusal`; "" for any other error. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof AppError ? (error.cause as Partial<LxdCause> | undefined) : undefined;
  return typeof cause?.reason === "string" ? cause.reason : "";
}
