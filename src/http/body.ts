import type { FastifyInstance, FastifyRequest } from "fastify";
import type { IncomingHttpHeaders } from "node:http";
import { AppError, invalid } from "../errors.ts";

/** Deeper than any request of the API; without a limit 10 KB of brackets become an answer of 50 MB. */
const maxDepth = 32;
const maxFormFields = 100;
const braceOpen = 0x7b;
const bracketOpen = 0x5b;

type Done = (error: Error | null, body?: unknown) => void;

/** Clients label their bodies wrongly or not at all, so the first character decides what a body is. */
export function readBodiesByContent(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (request: FastifyRequest, text: string, done: Done) => {
    const first = firstCharacter(text);
    if (first === 0 || request.is404) return done(null);
    if (first === braceOpen || first === bracketOpen) {
      parseJson(text, done);
    } else {
      parseForm(text, done);
    }
  });
}

/** The label is not used, so that a missing, wrong or malformed one does not matter. */
export function ignoreContentType(headers: IncomingHttpHeaders): void {
  if (headers["content-type"] !== undefined) headers["content-type"] = undefined;
}

export function encodingError(headers: IncomingHttpHeaders): AppError | undefined {
  const encoding = headers["content-encoding"];
  if (encoding === undefined || encoding === "" || encoding.toLowerCase() === "identity") return undefined;
  return new AppError("unsupported_media", "A body must be sent as it is, without Content-Encoding.");
}

/** 0 for a text without any. */
function firstCharacter(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== 0x20 && (code < 9 || code > 13)) return code;
  }
  return 0;
}

function parseJson(text: string, done: Done): void {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    return done(new AppError("invalid", "The body is not valid JSON.", { cause }));
  }
  done(faultOf(body, maxDepth), body);
}

function faultOf(value: unknown, levels: number): AppError | null {
  if (typeof value !== "object" || value === null) return null;
  if (levels === 0) return new AppError("invalid", `The body is nested more than ${maxDepth} levels deep.`);
  if (Array.isArray(value)) {
    for (const item of value) {
      const fault = faultOf(item, levels - 1);
      if (fault !== null) return fault;
    }
    return null;
  }
  for (const key in value) {
    // Harmless as it is, but not in the hands of code that merges objects.
    if (key === "__proto__") return invalid(key, "is not a known field");
    const fault = faultOf((value as Record<string, unknown>)[key], levels - 1);
    if (fault !== null) return fault;
  }
  return null;
}

function parseForm(text: string, done: Done): void {
  if (!text.includes("=")) return done(new AppError("invalid", "The body is neither JSON nor a form."));
  const fields = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(text.trim())) {
    if (fields.has(key)) return done(invalid(key.slice(0, 64), "is given twice"));
    if (fields.size === maxFormFields) return done(new AppError("invalid", "The form has too many fields."));
    fields.set(key, value);
  }
  done(null, Object.fromEntries(fields));
}
