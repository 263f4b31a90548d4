export const jsonType = "application/json; charset=utf-8";

/** On every answer: it is nobody else's, and nothing but what its type says. */
export const safeHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** Existing clients find an error by the position of its first key, so two spaces are part of the contract. */
export function prettyJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/**
 * Writes lists of objects that are never changed, only replaced, as `prettyJson` does: what was written before is not
 * written again, neither one of them nor the whole list.
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

/** Writes parts of a list, one after another, as `prettyJson` would write the whole of it. */
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
