import { AppError } from "../../errors.ts";
import type { Shape } from "../shape.ts";

/** A container's own files cannot be written, which `field` needs. */
export function unwritable(field: keyof Shape, reason: string, cause: unknown): AppError {
  const message = `The container's own folder /etc cannot be written: ${reason.replace(/\.$/, "")}.`;
  return new AppError("conflict", message, { cause, details: { field } });
}
