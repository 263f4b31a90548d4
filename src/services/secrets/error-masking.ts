import { hiddenWords, type Sight } from "./masking.ts";
import { createRedactor, spellingsOf } from "./redactor.ts";

/** Words that are looked for in an error at most: more would take too long. */
const mostWords = 2000;
const notShown = "It failed; the reason is not shown, because it may repeat the command or the environment.";

/**
 * Returns an error's text without what the reader may not see of the request: engines repeat commands in their errors.
 * Those who may not inspect get another sentence when it repeats any word; for others the masked words are struck out.
 */
export function withoutHiddenWords(text: string, request: unknown, sight: Sight): string {
  const words = hiddenWords(request, sight);
  if (words.length === 0) return text;
  if (words.length > mostWords) return notShown;
  if (sight.inspects) return createRedactor(words)(text);
  return words.some((word) => spellingsOf(word).some((spelling) => text.includes(spelling))) ? notShown : text;
}
