import type { OpenvzCreate } from "../../api/openvz.ts";
import { printable } from "../../util/printable.ts";

/** Keys that are named one by one, and characters of each. */
const most = { keys: 16, characters: 64 };

/**
 * Returns a sentence for each key of a create that has no meaning here: control panels send more than the original knew.
 */
export function warnIgnoredFields({ name: _name, ostemplate: _ostemplate, ...others }: OpenvzCreate): string[] {
  const keys = Object.keys(others);
  const named = keys
    .slice(0, most.keys)
    .map((key) => `${printable(key.slice(0, most.characters))} is not known, and was passed over.`);
  return keys.length > most.keys ? [...named, `${keys.length - most.keys} more keys are not known.`] : named;
}
