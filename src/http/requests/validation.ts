import type { FastifySchemaValidationError } from "fastify";
import { AppError, invalid } from "../../errors.ts";
import { fieldName } from "./field-name.ts";

interface Schema {
  description?: string;
  type?: string | string[];
  minimum?: number;
  maximum?: number;
  const?: unknown;
  anyOf?: Schema[];
  /** In a tuple it is a list. */
  items?: unknown;
  /** Rule for the keys of an object whose keys the caller chooses. */
  propertyNames?: Schema;
}
type Failure = FastifySchemaValidationError & { parentSchema?: Schema; schema?: unknown; data?: unknown };

/** Returns the refusal of a request: one sentence that names the field and the first rule that it breaks. */
export function refusedField(failures: FastifySchemaValidationError[], part: string): AppError {
  // The last failure is the outermost one, but that of "if" only repeats that of "then".
  const failure: Failure | undefined = failures.findLast((one) => one.keyword !== "if");
  if (failure === undefined) return new AppError("invalid", "The request is not valid.");
  const keys = failure.instancePath.split("/").slice(1).map(decodePointer);
  const { missingProperty, additionalProperty, propertyName } = failure.params as Record<string, string | undefined>;
  if (missingProperty !== undefined) return invalid(fieldName([...keys, missingProperty]), "is missing");
  if (additionalProperty !== undefined) {
    const kind = part === "querystring" ? "query parameter" : `field${explained(failure, keys)}`;
    return invalid(fieldName([...keys, additionalProperty]), `is not a known ${kind}`);
  }
  if (failure.keyword === "propertyNames" && propertyName !== undefined)
    return invalid(fieldName([...keys, propertyName]), patternRule(failure.parentSchema?.propertyNames));
  if (keys.length > 0) return invalid(fieldName(keys), rule(failure));
  const whole = part === "body" ? "body" : "query";
  const absent = failure.data === null || failure.data === undefined;
  return new AppError("invalid", `The ${whole} ${absent ? "is missing" : rule(failure)}.`, {
    details: { field: whole },
  });
}

/**
 * Returns the refusal of a request to the containers-and-jobs API, which has documented words for a field that is
 * missing or empty.
 */
export function missingOrEmpty(failures: FastifySchemaValidationError[], part: string): AppError {
  const failure: Failure | undefined = failures.findLast((one) => one.keyword !== "if");
  const refused = refusedField(failures, part);
  const field = refused.details?.["field"];
  const nobody = field === "body" && (failure?.data === null || failure?.data === undefined);
  const absent = failure?.keyword === "required" || failure?.keyword === "minLength" || nobody;
  return absent ? invalid(String(field), "is missing or empty") : refused;
}

/** Returns what the object with the unknown field is for, if its schema says so. */
function explained({ parentSchema }: Failure, keys: string[]): string {
  const { description } = parentSchema ?? {};
  return description && keys.length > 0 ? `: ${fieldName(keys)} is ${lowerFirst(description)}` : "";
}

function decodePointer(key: string): string {
  return key.replaceAll("~1", "/").replaceAll("~0", "~");
}

function rule(failure: Failure): string {
  const schema = failure.parentSchema ?? {};
  if (Array.isArray(schema.items) && failure.keyword !== "type") return `must be ${schema.description}`;
  const limit = (failure.params as { limit?: number }).limit;
  switch (failure.keyword) {
    case "type":
      return typeRule(schema);
    case "anyOf":
      return `must be ${choices(schema.anyOf ?? [])}`;
    case "const":
      return `must be ${quoted(schema.const)}`;
    case "pattern":
      return patternRule(schema);
    case "minimum":
    case "maximum":
      return `must be ${range(schema)}`;
    case "minLength":
      return limit === 1 ? "is empty" : `must have at least ${limit} characters`;
    case "maxLength":
      return `must have at most ${limit} characters`;
    case "minItems":
      return `must have at least ${limit} ${limit === 1 ? "entry" : "entries"}`;
    case "maxItems":
    case "additionalItems":
    case "maxProperties":
      return `must have at most ${limit} entries`;
    default:
      return failure.message ?? "is not valid";
  }
}

function patternRule({ description = "in another form" }: Schema = {}): string {
  return `must be ${lowerFirst(description)}`;
}

function typeRule({ type = [], description }: Schema): string {
  const details = type === "object" && description ? `: ${lowerFirst(description)}` : "";
  return `must be ${typeNames([type].flat())}${details}`;
}

const names: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  object: "an object",
  string: "a text",
};

function typeNames(types: string[]): string {
  return either(types.map((type) => names[type] ?? type));
}

function choices(schemas: Schema[]): string {
  return either(schemas.map((one) => ("const" in one ? quoted(one.const) : typeNames([one.type ?? []].flat()))));
}

function quoted(value: unknown): string {
  return value === "" ? "empty" : String(value);
}

function either(words: string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function range({ minimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `from ${minimum} to ${maximum}`;
  return minimum !== undefined ? `at least ${minimum}` : `at most ${maximum}`;
}

/** Lowers the first letter, but not that of an abbreviation, as NAME=VALUE. */
function lowerFirst(text: string): string {
  return /^[A-Z][a-z ]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}
