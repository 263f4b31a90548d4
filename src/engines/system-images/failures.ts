import { AppError } from "../../errors.ts";

/** Returns the `remote_failed` for a server that does not answer: what it has is unknown. */
export function unreachable(host: string, cause: unknown): AppError {
  return new AppError("remote_failed", `The image server ${host} is not in reach (${codeOf(cause)}).`, {
    cause,
    details: { server: host, reachable: false },
  });
}

/**
 * Returns the `remote_failed` for a server that answers wrongly. `reason`: what comes after "it", without a full stop.
 */
export function wrongAnswer(host: string, reason: string, cause?: unknown): AppError {
  return new AppError("remote_failed", `The image server ${host} failed: it ${reason}.`, {
    cause,
    details: { server: host, reachable: true },
  });
}

/** Returns whether a server did not answer. */
export function isUnreachable(error: unknown): error is AppError {
  return error instanceof AppError && error.details?.["reachable"] === false;
}

/** Returns the `cancelled` for a pull that the signal stopped. */
export function cancelled(cause?: unknown): AppError {
  return new AppError("cancelled", "The download of the image was stopped on request.", { cause });
}

/** Returns whether what a program of the system said, or the system itself, means a full disk. */
export function isDiskFull(text: string): boolean {
  return /ENOSPC|EDQUOT|no space left on device|disk quota exceeded/i.test(text);
}

/** Returns the `disk_full` for the disk of the station's images. */
export function diskFull(cause: unknown): AppError {
  return new AppError("disk_full", "The disk of the station's images is full.", { cause });
}

/** Returns the code of a system error, as ENOSPC; else what the error says. */
export function codeOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  return code ?? (cause instanceof Error ? cause.message : String(cause));
}
