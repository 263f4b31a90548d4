export const jsonType = "application/json; charset=utf-8";

/** Existing clients find an error by the position of its first key, so two spaces are part of the contract. */
export function prettyJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
