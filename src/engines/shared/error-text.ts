/** Returns what an engine or a program said, as one line with a full stop. */
export function toSentence(reason: string): string {
  return withFullStop(reason.replaceAll(/\s+/g, " ").replaceAll(/[{}]/g, "").trim());
}

/** Returns a line with a full stop at its end; "no reason given." for an empty one. */
export function withFullStop(line: string): string {
  return /[.!?]$/.test(line) ? line : `${line || "no reason given"}.`;
}
