/** Characters of a secret at least: shorter ones are too common as words to be removed from a text. */
const shortest = 6;
const struck = "[redacted]";
const secretKey = /pass|token|secret|key|auth|credential/i;

/** Makes a function that removes these secrets from texts, also as JSON, URLs and base64 spell them. */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const spellings = secrets.flatMap((secret) => (secret.length < shortest ? [] : spellingsOf(secret)));
  // A secret that contains another one goes first.
  const ordered = [...new Set(spellings)].sort((one, other) => other.length - one.length);
  return (text) => ordered.reduce((rest, secret) => rest.replaceAll(secret, struck), text);
}

/**
 * Returns the values of a task's request (JSON) that may be secret: those of the environment and of fields with such names.
 */
export function secretsInRequest(params: string): string[] {
  const found: string[] = [];
  try {
    collect(JSON.parse(params), false, found);
  } catch {
    // A request that cannot be read is not shown either.
  }
  return found;
}

function collect(value: unknown, isSecret: boolean, found: string[]): void {
  if (typeof value === "string") {
    const assigned = /^\w+=(.*)$/s.exec(value)?.[1];
    if (isSecret) found.push(value);
    if (assigned) found.push(assigned);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) collect(inner, isSecret || secretKey.test(key), found);
  }
}

/** Returns a text as it is, and as JSON, a URL and base64 spell it. */
export function spellingsOf(secret: string): string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [secret, inJson, encodeURIComponent(secret), Buffer.from(secret).toString("base64")];
}
