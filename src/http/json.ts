export const jsonType = "application/json; charset=utf-8";

/** On every answer: it is nobody else's, and nothing but what its type says. */
export const safeHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** Existing clients find an error by the position of its first key, so two spaces are part of the contract. */
export function prettyJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
