import type { Static, TSchema } from "typebox";
import { AppError } from "../../errors.ts";

/** Reads the requests of one kind of task as the store keeps them. */
export interface StoredRequest<Request> {
  /** Returns the request. Throws `unsupported` if a field is missing that every version has stored. */
  parse(stored: unknown): Request;
}

/**
 * Returns a reader of requests of this schema. A request was checked in full when it was accepted, perhaps by an older
 * version whose limits were other ones; so only the required fields are looked for, and unknown ones stay.
 */
export function storedRequest<Schema extends TSchema>(schema: Schema): StoredRequest<Static<Schema>> {
  return {
    parse(stored) {
      if (hasRequired(schema, stored)) return stored;
      throw new AppError("unsupported", "This version cannot read what the task was asked to do.");
    },
  };
}

function hasRequired<Schema extends TSchema>(schema: Schema, value: unknown): value is Static<Schema> {
  if (typeof value !== "object" || value === null) return false;
  const required = "required" in schema && Array.isArray(schema.required) ? schema.required : [];
  return required.every((name) => typeof name === "string" && Object.hasOwn(value, name));
}
