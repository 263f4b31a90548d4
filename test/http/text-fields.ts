/** What a schema says of one value; as in JSON Schema. */
interface Schema {
  type?: string | string[];
  const?: unknown;
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  propertyNames?: Schema;
  additionalProperties?: boolean | Schema;
  items?: Schema | Schema[];
  anyOf?: Schema[];
  then?: Schema;
  else?: Schema;
}

/** The key of an object whose keys are the caller's own. */
export const keyStep = "{key}";
/** Such an object's value, and the entry of a list. */
export const valueStep = "{value}";
export const entryStep = "[]";

/**
 * Returns the paths of all texts that a schema takes, also as keys, entries and choices: `["volume", "container", "[]"]`.
 * A value that can be anything counts as a text.
 */
export function textFields(schema: Schema, path: readonly string[] = []): string[][] {
  const inside = [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, child]) => textFields(child, [...path, key])),
    ...Object.values(schema.patternProperties ?? {}).flatMap((child) => textFields(child, [...path, valueStep])),
    ...(isSchema(schema.additionalProperties) ? textFields(schema.additionalProperties, [...path, valueStep]) : []),
    ...(schema.propertyNames || schema.patternProperties ? [[...path, keyStep]] : []),
    ...[schema.items ?? []].flat().flatMap((child) => textFields(child, [...path, entryStep])),
    ...[schema.anyOf ?? [], schema.then ?? [], schema.else ?? []].flat().flatMap((child) => textFields(child, path)),
  ];
  const own = isText(schema) ? [[...path]] : [];
  const unique = new Map([...own, ...inside].map((found) => [found.join("."), found]));
  return [...unique.values()];
}

function isSchema(schema: boolean | Schema | undefined): schema is Schema {
  return typeof schema === "object";
}

function isText({ type, anyOf, const: fixed }: Schema): boolean {
  if (fixed !== undefined || anyOf) return false;
  return type === undefined || [type].flat().includes("string");
}

/** Returns a copy of the request with the text at the path; what is missing on the way is made. */
export function withText(whole: unknown, path: readonly string[], text: string): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return text;
  if (step === entryStep) return [withText(Array.isArray(whole) ? whole[0] : whole, rest, text)];
  const object = { ...(whole as Record<string, unknown> | undefined) };
  if (step === keyStep) return { [text]: "alias" };
  const key = step === valueStep ? "key" : step;
  return { ...object, [key]: withText(object[key], rest, text) };
}
