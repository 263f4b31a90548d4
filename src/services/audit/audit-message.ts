type Sentence = (request: unknown) => string;

/** Sentences of the audit log that QNAP's documents show, by the method that they tell of. */
const documented: Readonly<Record<string, Sentence>> = {
  "registries.save": (request) => {
    const { method, name, url } = request as { method: string; name: string; url: string };
    return method === "edit" ? `Registry edit: ${name}` : `Registry add: ${name}, ${origin(url)}`;
  },
  "registries.remove": (name) => `Registry remove: ${String(name)}`,
};

/** Returns the documented sentence for a call, made of the first argument after the caller; `undefined`: there is none. */
export function documentedMessage(method: string, request: unknown): string | undefined {
  return Object.hasOwn(documented, method) ? documented[method]?.(request) : undefined;
}

/** The entry is written before the URL is checked, and a URL that will be refused may hold a password. */
function origin(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "";
}
