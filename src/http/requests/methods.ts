import type { FastifyInstance, HTTPMethods } from "fastify";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
/** Matches a number, a UUID or another id in hex. No literal part of a path is written so. */
const id = /^(?=.*[0-9])[0-9a-f-]+$/i;
/** A part of a path that is literal in no route. */
const anyName = "~";

/** Returns the methods that a path has, without those that it has by accident only. */
export function methodsAt(app: FastifyInstance, path: string): string[] {
  const bare = path.replace(/\/$/, "");
  return methods.filter((method) => app.findRoute({ method, url: bare }) && !isOnlyAName(app, method, bare));
}

/**
 * Returns whether a path is found only because the route of a collection takes any name at its end: `registry/ping` is
 * a path of the API that this version does not have, and not a registry named ping that can be deleted.
 */
function isOnlyAName(app: FastifyInstance, method: HTTPMethods, path: string): boolean {
  const at = path.lastIndexOf("/");
  const other = app.findRoute({ method, url: `${path.slice(0, at)}/${anyName}` });
  return other !== null && Object.keys(other.params).length === 1 && !id.test(path.slice(at + 1));
}
