import type { Static, TObject, TSchema } from "typebox";
import type { Verb } from "./verbs.ts";

/**
 * One route of the station: what the server, the OpenAPI document, the audit log, the tests and clients must know of
 * it.
 */
export interface Route {
  /** HTTP method. A GET has a HEAD too. */
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path from the server's root. A part that begins with a colon is a parameter, as in `/api/v1/users/:username`. */
  path: `/${string}`;
  /** Group in the OpenAPI document. */
  tag: string;
  /** What the route does, in a few words. */
  summary: string;
  /** The route is a GET that has no HEAD, because its response is what it is for: a stream, a log-in. */
  withoutHead?: true;
  /**
   * What the caller must be allowed. `session`: every caller with a session or a token may call. `open`: everybody may.
   */
  verb: Verb | "session" | "open";
  /**
   * Whether each successful call has an entry in the activity log, as every change must have. Refusals are there in any
   * case, but for callers who are not logged in.
   */
  audited: boolean;
  /** A page of another site may not call the route although it is a GET: it logs in, or it streams. */
  sameSiteOnly?: true;
  /** Parameters of the path. They are strings. */
  params?: TObject;
  /** Parameters of the query that the route knows. They are strings. Every route knows `sid` beside them. */
  query?: TObject;
  /** The body, which is JSON or a form. Absent: the route takes none. */
  body?: TSchema;
  /** Fields of the body may be in the query too, where unknown ones are ignored. */
  fieldsInQuery?: true;
  /** Bytes that a body may have; 1 MiB if absent. */
  bodyLimit?: number;
  /** The JSON of a successful response. Absent: the route returns no JSON, or never succeeds. */
  response?: TSchema;
  /** What a successful response holds if it is no JSON. */
  file?: FileType;
  /** Status of a successful response; 200 if absent. */
  status?: 200 | 202;
  /** The JSON of a refusal, where it is not the API's usual one. */
  errors?: TSchema;
}

/** Content of another type than JSON. */
export interface FileType {
  /** Media type, as `application/zip`. */
  type: string;
  /** What it is, in a few words. */
  description: string;
}

/**
 * Some routes by name. A name is the method of the services that the route calls, as `lifecycle.start`. Where several
 * routes call the same method, a colon and a word follow, as in `background.add:create`.
 */
export type RouteTable = Readonly<Record<string, Route>>;

/** The method of the services that the routes of these names call. */
export type CalledMethod<Name> = Name extends `${infer Method}:${string}` ? Method : Name;

/** The type that a schema of a route allows; `undefined` where the route has no such schema. */
type StaticOf<R extends Route, Part extends keyof Route> = R extends { [P in Part]: infer Schema extends TSchema }
  ? Static<Schema>
  : undefined;

/** The parameters of a route's path. */
export type ParamsOf<R extends Route> = StaticOf<R, "params">;
/** The parameters of a route's query. */
export type QueryOf<R extends Route> = StaticOf<R, "query">;
/** The body that a route takes. */
export type BodyOf<R extends Route> = StaticOf<R, "body">;
/** The JSON that a route returns. */
export type ResponseOf<R extends Route> = StaticOf<R, "response">;
