/** Matches most texts. It is tested first because classes of Unicode are slow to test. */
const printableAscii = /^[ -~]*$/;

/**
 * Writes control characters, line separators and characters that change the reading direction as `\u{hex}`, so that a text
 * fills one line and is displayed as it is.
 */
export function printable(text: string): string {
  if (printableAscii.test(text)) return text;
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
