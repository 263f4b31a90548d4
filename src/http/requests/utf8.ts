import { isUtf8 } from "node:buffer";

/** Matches escapes that follow one another: the bytes of one character are all escaped or none is. */
const escapes = /(?:%[0-9a-f]{2})+/gi;

/** Returns the text that bytes are, or `undefined` if they are not UTF-8. No byte is replaced. */
export function utf8Text(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}

/** Returns whether the `%XX` of an address or a form are UTF-8. A `%` that escapes nothing is an ordinary character. */
export function hasUtf8Escapes(text: string): boolean {
  if (!text.includes("%")) return true;
  return (text.match(escapes) ?? []).every((run) => isUtf8(Buffer.from(run.replaceAll("%", ""), "hex")));
}
