import { isUtf8 } from "node:buffer";

/** Several bytes of one character are escaped together, or not at all. */
const escapes = /(?:%[0-9a-f]{2})+/gi;

/** The text of these bytes, or `undefined` when they are not UTF-8: no byte is replaced by something else. */
export function utf8Text(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}

/** Whether the `%XX` of an address or a form are UTF-8. A `%` that escapes nothing stands for itself. */
export function hasUtf8Escapes(text: string): boolean {
  if (!text.includes("%")) return true;
  return (text.match(escapes) ?? []).every((run) => isUtf8(Buffer.from(run.replaceAll("%", ""), "hex")));
}
