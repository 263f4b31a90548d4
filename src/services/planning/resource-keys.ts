import type { EngineType } from "../../engines/engine.ts";
import { resourceKey, type ResourceKey } from "../../tasks/resource-key.ts";
import { familiarName } from "./image-reference.ts";

/** Returns the key that tasks lock, and that port claims belong to, for a container: `docker/c/web`. */
export function containerKey(type: string, name: string): ResourceKey {
  return resourceKey({ scope: type, type: "c", name });
}

/**
 * Returns the keys of the images with these references: every spelling of one name has one key, and so has an id,
 * however many of its digits are given.
 */
export function imageKeys(type: EngineType, references: readonly string[]): ResourceKey[] {
  const keys = references.map((reference) => resourceKey({ scope: type, type: "i", name: spelling(type, reference) }));
  return [...new Set(keys)];
}

/** Returns the key of a MAC address, or of an IP address without its prefix length, that a container is given. */
export function addressKey(type: "mac" | "address", address: string): ResourceKey {
  return resourceKey({ scope: "host", type, name: address });
}

function spelling(type: EngineType, reference: string): string {
  const id = /^(?:sha256:)?([0-9a-f]{12})[0-9a-f]{0,52}$/.exec(reference);
  return id?.[1] ?? spellings[type](reference);
}

/** How each engine spells a reference that it knows by several names. */
const spellings: Readonly<Record<EngineType, (reference: string) => string>> = {
  docker: familiarName,
  lxc: (reference) => reference,
  lxd: (reference) => reference,
};
