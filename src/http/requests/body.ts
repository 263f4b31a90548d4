import type { FastifyInstance, FastifyRequest } from "fastify";
import type { IncomingHttpHeaders } from "node:http";
import { AppError, invalid } from "../../errors.ts";
import { fieldName } from "./field-name.ts";
import { hasUtf8Escapes, utf8Text } from "./utf8.ts";

/** More levels than any request of the API has. Without a limit 10 KB of brackets would become a response of 50 MB. */
const maxDepth = 32;
const maxFormFields = 100;
const braceOpen = 0x7b;
const bracketOpen = 0x5b;

type Done = (error: Error | null, body?: unknown) => void;

/**
 * Makes the server read bodies. The first character decides whether one is JSON or a form, because clients send wrong
 * content types or none.
 */
export function readBodiesByContent(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (request: FastifyRequest, bytes: Buffer, done: Done) => {
    if (request.is404) return done(null);
    const text = utf8Text(bytes);
    if (text === undefined)
      return done(new AppError("invalid", "The body is neither JSON nor a form: its bytes are not UTF-8."));
    const first = firstCharacter(text);
    if (first === 0) return done(null);
    if (first === braceOpen || first === bracketOpen) {
      parseJson(text, done);
    } else {
      parseForm(text, done);
    }
  });
}

/** Removes the content type, so that a missing, wrong or malformed one makes no difference. */
export function ignoreContentType(headers: IncomingHttpHeaders): void {
  if (headers["content-type"] !== undefined) headers["content-type"] = undefined;
}

/** Returns why a body is refused that is compressed or otherwise encoded. */
export function encodingError(headers: IncomingHttpHeaders): AppError | undefined {
  const encoding = headers["content-encoding"];
  if (encoding === undefined || encoding === "" || encoding.toLowerCase() === "identity") return undefined;
  return new AppError("unsupported_media", "A body must be sent as it is, without Content-Encoding.");
}

/** Returns the code of the first character that is no white space; 0 if there is none. */
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
  done(findError(body, []), body);
}

/** Returns why a value of a body is refused, with the field's name. `keys` lead to the value from the body. */
function findError(value: unknown, keys: string[]): AppError | null {
  if (typeof value === "string") return value.isWellFormed() ? null : notUnicode(keys);
  if (typeof value !== "object" || value === null) return null;
  if (keys.length === maxDepth) return new AppError("invalid", `The body is nested more than ${maxDepth} levels deep.`);
  for (const key in value) {
    // Code that merges objects would change their prototype by it.
    if (key === "__proto__") return invalid(key, "is not a known field");
    keys.push(key);
    const fault = key.isWellFormed() ? findError((value as Record<string, unknown>)[key], keys) : notUnicode(keys);
    if (fault !== null) return fault;
    keys.pop();
  }
  return null;
}

/** Returns the refusal of a lone surrogate, half of a character, which only JSON can express, as `\ud800`. */
function notUnicode(keys: string[]): AppError {
  return invalid(fieldName(keys), "has half of a Unicode character (a lone surrogate)");
}

function parseForm(text: string, done: Done): void {
  if (!text.includes("=")) return done(new AppError("invalid", "The body is neither JSON nor a form."));
  const broken = text.split("&").find((pair) => !hasUtf8Escapes(pair));
  if (broken !== undefined) return done(invalid((broken.split("=", 1)[0] ?? "").slice(0, 64), "is not valid UTF-8"));
  const fields = new Map<string, string>();
  // If there is a `%` that escapes nothing, Node would decode all non-ASCII characters wrongly.
  const plain = text.trim().replaceAll(/%(?![0-9a-f]{2})/gi, "%25");
  for (const [key, value] of new URLSearchParams(plain)) {
    if (fields.has(key)) return done(invalid(key.slice(0, 64), "is given twice"));
    if (fields.size === maxFormFields) return done(new AppError("invalid", "The form has too many fields."));
    fields.set(key, value);
  }
  done(null, Object.fromEntries(fields));
}
