/** What an engine or a program said, as one line with a full stop. */
export function plain(reason: string): string {
  return asSentence(reason.replaceAll(/\s+/g, " ").replaceAll(/[{}]/g, "").trim());
}

export function asSentence(line: string): string {
  return /[.!?]$/.test(line) ? line : `${line || "no reason given"}.`;
}
