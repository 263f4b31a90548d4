/** Values that a query has as text, which its schema has checked. */

/** Returns the number that a text is, or `undefined` for none. */
export function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Returns whether a text means yes: `1`, or `true` in any case. */
export function isTrue(text: string | undefined): boolean {
  return text === "1" || text?.toLowerCase() === "true";
}
