import type { FastifyServerOptions } from "fastify";
import { createRequire } from "node:module";
import type { Ajv, ErrorObject, ValidateFunction } from "ajv";

export type SchemaController = NonNullable<FastifyServerOptions["schemaController"]>;

/** Returns nothing for a value that is valid, else the rules that it breaks. */
type Validate = (value: unknown) => { error: ErrorObject[] } | undefined;

/** Nothing is converted, dropped or filled in: what is accepted is what was sent. */
const options = {
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  allErrors: false,
  allowUnionTypes: true,
  verbose: true,
  // Schemas that routes share are compiled more than once.
  addUsedSchema: false,
} as const;

/**
 * Returns fastify's compiler of schemas. A schema is compiled when the first value comes for it, and the compiler is loaded
 * for the first of all: most routes are never called between two starts, and 100 schemas would cost the start time and memory.
 */
export function createValidators(): ({ schema }: { schema: unknown }) => Validate {
  let ajv: Ajv | undefined;
  return ({ schema }) => {
    let check: ValidateFunction | undefined;
    return (value) => {
      ajv ??= loadAjv();
      check ??= ajv.compile(schema as object);
      return check(value) ? undefined : { error: check.errors ?? [] };
    };
  };
}

function loadAjv(): Ajv {
  const { Ajv } = createRequire(import.meta.url)("ajv") as typeof import("ajv");
  return new Ajv(options);
}
