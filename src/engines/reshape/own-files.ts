import { AppError } from "../../errors.ts";
import type { Shape } from "../shape.ts";

/** Refusals of a change that needs a container's own files, and what both kinds of system containers know of it. */

/** Returns the field of a change because of which files in the container's /etc are written; undefined: there is none. */
export function fieldInFiles(change: Shape): "hostname" | "nameServers" | "addresses" | undefined {
  return (["hostname", "nameServers", "addresses"] as const).find((field) => change[field] !== undefined);
}

/** Returns the `conflict` for a container whose own files cannot be written, which `field` needs. `reason`: a phrase. */
export function unwritable(field: keyof Shape, reason: string, cause: unknown): AppError {
  const message = `The container's own folder /etc cannot be written: ${reason.replace(/\.$/, "")}.`;
  return new AppError("conflict", message, { cause, details: { field } });
}

/** Returns the `conflict` for a container that has no place for its name servers. `reason`: what it has instead. */
export function noResolver(engine: "LXC" | "LXD", name: string, reason: string): AppError {
  const message = `The ${engine} container ${name} ${reason} for its name servers.`;
  return new AppError("conflict", message, { details: { field: "nameServers" } });
}
