/** What a documented value says of the values that answers have. */
export interface FieldCheck {
  /** Fields that the document shows. */
  wanted: number;
  /** Those that the answer has, of the documented type. */
  met: number;
  /** What is missing, of another type, or not documented. */
  faults: string[];
}

/** clients.md: an integer in the examples, and a fraction as well. */
const numbers = new Set(["cpu"]);

/** Compares an answer with a documented example, key by key; values may differ, types may not. */
export function compareFields(example: unknown, answer: unknown, at: string): FieldCheck {
  if (isObject(example)) return compareObjects(example, answer, at);
  const documented = typeOf(example, at);
  const actual = typeOf(answer, at);
  const same = documented === actual || (Array.isArray(example) && example.length === 0 && Array.isArray(answer));
  const empty = Array.isArray(answer) && answer.length === 0 && Array.isArray(example);
  const met = same || empty;
  return { wanted: 1, met: met ? 1 : 0, faults: met ? [] : [`${at} is ${actual}, documented as ${documented}`] };
}

function compareObjects(example: Record<string, unknown>, answer: unknown, at: string): FieldCheck {
  const given = isObject(answer) ? answer : {};
  const total: FieldCheck = { wanted: 0, met: 0, faults: [] };
  for (const [key, value] of Object.entries(example)) {
    const one = compareFields(value, given[key], `${at}.${key}`);
    total.wanted += one.wanted;
    total.met += one.met;
    total.faults.push(...one.faults);
  }
  const more = Object.keys(given).filter((key) => !Object.hasOwn(example, key));
  total.faults.push(...more.map((key) => `${at}.${key} is not documented`));
  return total;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown, at: string): string {
  if (Array.isArray(value)) return `array of ${[...new Set(value.map((entry) => typeOf(entry, at)))].join(" or ")}`;
  if (typeof value !== "number") return typeof value;
  return numbers.has(at.split(".").at(-1) ?? "") || !Number.isInteger(value) ? "number" : "integer";
}
