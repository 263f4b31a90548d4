import type { EngineType } from "../../engines/engine.ts";
import { familiarName } from "./image-reference.ts";

/**
 * Returns the lock keys of the images with these references: every spelling of one name has one key, and so has an id,
 * however many of its digits are given.
 */
export function imageKeys(type: EngineType, references: readonly string[]): string[] {
  return [...new Set(references.map((reference) => `${type}/i/${spelling(type, reference)}`))];
}

function spelling(type: EngineType, reference: string): string {
  const id = /^(?:sha256:)?([0-9a-f]{12})[0-9a-f]{0,52}$/.exec(reference);
  return id?.[1] ?? (type === "docker" ? familiarName(reference) : reference);
}
