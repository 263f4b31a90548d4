import type { KeptLog } from "../container-life.ts";

/**
 * Returns the last lines of a text of which `cut` bytes in front may be missing. It is truncated when the missing ones
 * would have been among those lines.
 */
export function lastLogLines(text: string, lines: number, cut: boolean): KeptLog {
  const end = lastLines(text, lines);
  return { text: end, truncated: cut && end.length === text.length };
}

/** Returns the last lines of a text; a line break at its end begins no further one. */
export function lastLines(text: string, lines: number): string {
  let at = text.endsWith("\n") ? text.length - 1 : text.length;
  for (let left = lines; left > 0 && at >= 0; left--) at = at === 0 ? -1 : text.lastIndexOf("\n", at - 1);
  return lines > 0 ? text.slice(at + 1) : "";
}
