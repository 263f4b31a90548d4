import { AppError } from "../../../errors.ts";
import { reasonText } from "../failures.ts";
import { registryReason } from "./registry-reason.ts";

/**
 * Returns the `engine_unavailable` for a pull whose answer broke off: Docker went away, or something between it and the
 * station cut the connection.
 */
export function pullCutOff(reference: string, cause: unknown): AppError {
  return new AppError("engine_unavailable", `The download of ${reference} was cut off.`, {
    cause,
    details: { engine: "docker" },
  });
}

/** Failures of the engine's own disk and image store; every other failure of a pull comes from the registry. */
const local =
  /failed to register layer|invalid reference format|not a valid repository|context canceled|no space left|read-only file system|permission denied/i;

/**
 * Returns the error of a failed pull: `not_found`, `remote_failed` or `disk_full`, else `engine_failed`. `said`: what Docker
 * gave as the reason; `registry`: the registry as the beginning of a sentence.
 */
export function pullFailure(said: string, reference: string, registry: string): AppError {
  const reason = registryReason(said);
  const cause = { reason: said };
  if (/no space left on device/.test(reason)) return new AppError("disk_full", "Docker's disk is full.", { cause });
  if (
    /manifest unknown|manifest for .* not found|name unknown|repository .* not found|does not exist|invalid repository name/i.test(
      reason,
    )
  ) {
    return new AppError("not_found", `${registry} has no image ${reference}: ${reasonText(reason)}`, { cause });
  }
  if (/no basic auth|unauthorized|authentication required|denied/i.test(reason) && !local.test(reason)) {
    return new AppError("remote_failed", `${registry} refused access to ${reference}: ${reasonText(reason)}`, {
      cause,
    });
  }
  if (local.test(reason))
    return new AppError("engine_failed", `Docker cannot pull ${reference}: ${reasonText(reason)}`, { cause });
  return new AppError("remote_failed", `${registry} did not deliver ${reference}: ${reasonText(reason)}`, { cause });
}
