import { AppError } from "../../errors.ts";
import { toSentence } from "../shared/error-text.ts";

/** LXC's own words, and the kernel's -> the station's errors. */

/** Returns the `cancelled` for a call that the signal stopped. */
export function cancelled(cause?: unknown): AppError {
  return new AppError("cancelled", "The call to LXC was stopped on request.", { cause });
}

/** Returns the `engine_unavailable` for an LXC that cannot be used. `reason`: a phrase without a full stop. */
export function unavailable(reason: string, cause?: unknown): AppError {
  return new AppError("engine_unavailable", `LXC does not answer: ${reason}.`, { cause, details: { engine: "lxc" } });
}

/** Returns the `not_found` for a container. */
export function notFound(name: string): AppError {
  return new AppError("not_found", `LXC has no container ${name}.`);
}

/** Returns the `conflict` for a name that another container has. */
export function nameTaken(name: string, cause?: unknown): AppError {
  return new AppError("conflict", `The name ${name} is taken by another LXC container.`, { cause });
}

/**
 * Returns the error for a container that could not be made: `disk_full`, what was thrown with a code, else
 * `engine_failed`.
 */
export function createFailure(error: unknown, name: string): unknown {
  const reason = error instanceof AppError ? error.message : "";
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOSPC" || /no space left on device|disk quota exceeded|wrote only \d+ of/i.test(reason)) {
    return new AppError("disk_full", "The disk of LXC's containers is full.", { cause: error });
  }
  if (!(error instanceof AppError)) {
    const said = error instanceof Error ? error.message : String(error);
    return new AppError("engine_failed", `LXC's container ${name} cannot be made: ${toSentence(said)}`, {
      cause: error,
    });
  }
  if (error.code !== "engine_failed") return error;
  return new AppError("engine_failed", `LXC's container ${name} cannot be made: ${toSentence(reason)}`, {
    cause: error,
  });
}

/** Returns the code of a system error, as ENOENT; "" for any other error. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? "";
}
