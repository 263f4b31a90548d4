import { withoutHiddenWords } from "./error-masking.ts";
import { cutText } from "./shortening.ts";

/** Returns a task's error as one short line. Viewers read the log, so nothing of a command or an environment is in it. */
export function loggedError(error: string, request: unknown): string {
  return cutText(withoutHiddenWords(error, request, { inspects: false }).trim().replaceAll(/\s+/g, " "));
}
