/** Walks a JSON schema for tests that try every field of it. */

interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean;
  items?: Schema | Schema[];
  anyOf?: Schema[];
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  maxItems?: number;
}

export interface Field {
  /** As an error names it. */
  name: string;
  path: (string | number)[];
  schema: Schema;
  required: boolean;
  /** An object that takes known keys only. */
  closed: boolean;
}

export function fieldsOf(schema: Schema, path: Field["path"] = [], name = ""): Field[] {
  const fields: Field[] = [];
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const field: Field = {
      name: name === "" ? key : `${name}.${key}`,
      path: path.concat(key),
      schema: child,
      required: schema.required?.includes(key) ?? false,
      closed: child.additionalProperties === false,
    };
    fields.push(field, ...fieldsOf(child, field.path, field.name), ...entryOf(field));
  }
  return fields;
}

/** The first entry of a list of plain values. */
function entryOf({ schema, path, name }: Field): Field[] {
  if (schema.items === undefined || Array.isArray(schema.items)) return [];
  return [{ name: `${name}[0]`, path: [...path, 0], schema: schema.items, required: false, closed: false }];
}

const values: Record<string, unknown> = {
  string: "\u202e\u0000\ud83d\ude00",
  number: 1.5,
  integer: 7,
  boolean: true,
  null: null,
  array: [],
  object: {},
};

/** One value of every type that the field does not take. */
export function samples({ schema }: Field): unknown[] {
  const types = typesOf(schema);
  if (types.length === 0) return [];
  return Object.entries(values)
    .filter(([type]) => !types.includes(type) && !(type === "integer" && types.includes("number")))
    .map(([, value]) => value);
}

function typesOf(schema: Schema): string[] {
  return [schema.type ?? [], ...(schema.anyOf ?? []).map(typesOf)].flat();
}

/** The last value that fits and the first that does not, where the schema has such bounds. */
export function boundaries({ schema }: Field): { value: unknown; fits: boolean }[] {
  const found: { value: unknown; fits: boolean }[] = [];
  const { minimum, maximum, minLength, maxLength, pattern, maxItems, anyOf } = schema;
  if (minimum !== undefined) found.push({ value: minimum, fits: true }, { value: minimum - 1, fits: false });
  if (maximum !== undefined) found.push({ value: maximum, fits: true }, { value: maximum + 1, fits: false });
  if (minLength !== undefined) found.push({ value: "x".repeat(minLength - 1), fits: false });
  if (maxLength !== undefined) found.push({ value: `/${"x".repeat(maxLength)}`, fits: false });
  if (maxLength !== undefined && pattern === undefined) found.push({ value: "x".repeat(maxLength), fits: true });
  if (pattern !== undefined) found.push({ value: "\u0000", fits: false }, { value: "\n", fits: false });
  if (maxItems !== undefined) found.push({ value: Array(maxItems + 1).fill(null), fits: false });
  if (anyOf !== undefined) found.push({ value: "no such choice", fits: false });
  return found;
}

/** A copy with the value at the path; what is missing on the way is made. */
export function withValue(whole: object, { path }: Field, value: unknown): object {
  const copy = structuredClone(whole) as Record<string | number, any>;
  let at = copy;
  path.slice(0, -1).forEach((key, i) => (at = at[key] ??= typeof path[i + 1] === "number" ? [] : {}));
  at[path.at(-1)!] = value;
  return copy;
}
