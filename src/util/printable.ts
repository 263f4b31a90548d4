/** Nearly every text; the classes of Unicode take longer to look through. */
const plain = /^[ -~]*$/;

/** Control characters, line separators and what turns the reading direction come out as \u{hex}: one entry is one line. */
export function printable(text: string): string {
  if (plain.test(text)) return text;
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
