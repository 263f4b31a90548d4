export const jsonType = "application/json; charset=utf-8";

/** Headers of every response: nobody may cache it, and browsers must not guess its type. */
export const safeHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/**
 * Returns a value as JSON, indented by two spaces. That is part of the contract: existing clients find an error by the
 * position of its first key.
 */
export function prettyJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/**
 * Returns a function that writes lists of objects as `prettyJson` does. The objects must never be changed, only
 * replaced: the text of an object, and of the last list, is kept and used again.
 */
export function createListWriter(): (values: readonly Readonly<object>[]) => Buffer {
  const texts = new WeakMap<object, string>();
  const empty = Buffer.from(prettyJson([]));
  let last: { values: readonly object[]; body: Buffer } = { values: [], body: empty };

  function textOf(value: object): string {
    const known = texts.get(value);
    if (known !== undefined) return known;
    const text = prettyJson(value).replaceAll("\n", "\n  ");
    texts.set(value, text);
    return text;
  }

  return function write(values) {
    if (values.length === 0) return empty;
    const isLast = values.length === last.values.length && values.every((value, index) => value === last.values[index]);
    if (!isLast) last = { values, body: Buffer.from(`[\n  ${values.map(textOf).join(",\n  ")}\n]`) };
    return last.body;
  };
}

/** Yields the text of a list that comes in parts. Together it is what `prettyJson` returns for the whole list. */
export async function* prettyJsonList(parts: AsyncIterable<readonly unknown[]>): AsyncGenerator<string> {
  let separator = "[\n  ";
  for await (const values of parts) {
    if (values.length === 0) continue;
    const texts = values.map((value) => prettyJson(value).replaceAll("\n", "\n  "));
    yield separator + texts.join(",\n  ");
    separator = ",\n  ";
  }
  yield separator.startsWith("[") ? "[]" : "\n]";
}
