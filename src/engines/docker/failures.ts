import { AppError } from "../../errors.ts";
import { withFullStop } from "../shared/error-text.ts";

/** Docker's own words -> the station's errors. */

const unreachable = new Set([
  "ECONNREFUSED",
  "ENOENT",
  "EPIPE",
  "ECONNRESET",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EACCES",
]);

/**
 * Returns the `engine_unavailable` for a connection that failed before or in the middle of an answer: what became of
 * the call is unknown.
 */
export function connectionFailure(cause: unknown, address: string): AppError {
  const code = (cause as NodeJS.ErrnoException | null)?.code ?? "";
  const reason = unreachable.has(code) ? code : cause instanceof Error ? cause.message : String(cause);
  return new AppError("engine_unavailable", `Docker does not answer at ${address} (${reason}).`, {
    cause,
    details: { engine: "docker" },
  });
}

/** Returns the `engine_failed` for an answer that Docker never gives, so that asking again does not help. */
export function unreadable(cause: unknown): AppError {
  return new AppError("engine_failed", "Docker's answer cannot be read.", { cause });
}

/**
 * Returns the `engine_failed` for what Docker says it did and an inspect does not show. `what`: as "started container
 * web".
 */
export function notDone(what: string): AppError {
  return new AppError("engine_failed", `Docker said that it ${what}, but it did not.`);
}

/** Returns the 64 digits of the id that an answer has. `what`: what Docker then has done, as "made container web". */
export function readId(answer: { Id?: unknown } | undefined, what: string): string {
  const id = typeof answer?.Id === "string" ? /^(?:sha256:)?([0-9a-f]{64})$/.exec(answer.Id)?.[1] : undefined;
  if (id === undefined) throw notDone(what);
  return id;
}

/** Returns the `cancelled` for a call that the signal stopped. */
export function cancelled(cause?: unknown): AppError {
  return new AppError("cancelled", "The call to Docker was stopped on request.", { cause });
}

/** Returns the error for an HTTP status of 400 and above, with the reason that Docker gives. */
export function statusFailure(status: number, reason: string): AppError {
  const cause = { status, reason };
  if (/no space left on device/.test(reason)) return new AppError("disk_full", "Docker's disk is full.", { cause });
  if (status === 404 || (status === 400 && /no such image|invalid reference format/i.test(reason)))
    return new AppError("not_found", `Docker: ${reasonText(reason)}`, { cause });
  if (status === 409) return new AppError("conflict", `Docker: ${reasonText(reason)}`, { cause });
  return new AppError("engine_failed", `Docker: ${reasonText(reason)}`, { cause });
}

/**
 * Returns the `conflict` for a start that failed because a port is taken, which Docker says with status 500; else the
 * error as it is.
 */
export function startFailure(error: unknown): unknown {
  const reason = reasonOf(error);
  const port =
    /Bind for \S*?:(\d+) failed: port is already allocated/.exec(reason) ??
    /listen (?:tcp|udp)\d? \S*:(\d+): bind: address already in use/.exec(reason);
  if (port)
    return new AppError("conflict", `Port ${port[1]} of the host is in use.`, {
      cause: error,
      details: { port: Number(port[1]) },
    });
  return error;
}

/**
 * Returns the error for a refused create: `conflict` when the name is taken, `not_found` without the image, else it as
 * it is.
 */
export function createFailure(error: unknown, name: string, image: string): unknown {
  const reason = reasonOf(error);
  if (/container name .* is already in use/.test(reason)) {
    return new AppError("conflict", `The name ${name} is taken by another Docker container.`, { cause: error });
  }
  if (/No such image/i.test(reason))
    return new AppError("not_found", `Docker has no image ${image}.`, { cause: error });
  return error;
}

/** Returns what Docker said, for an error of `statusFailure`; "" for any other error. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof AppError ? (error.cause as { reason?: unknown } | undefined) : undefined;
  return typeof cause?.reason === "string" ? cause.reason : "";
}

/** What goes around the reason when an OCI runtime fails. */
const wrapping =
  /^(?:Error response from daemon|failed to create (?:shim task|shim|task)|OCI runtime create failed|runc create failed|container_linux\.go:\d+|process_linux\.go:\d+|starting container process caused|unable to start container process)(?:: | )/;

/** Returns what Docker said as one line with a full stop, without the names of the layers it went through. */
export function reasonText(reason: string): string {
  let line = reason
    .replaceAll(/\s+/g, " ")
    .trim()
    .replace(/: unknown$/, "")
    .replaceAll('\\"', '"');
  while (wrapping.test(line)) line = line.replace(wrapping, "");
  return withFullStop(line);
}
