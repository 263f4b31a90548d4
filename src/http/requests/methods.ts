import type { FastifyInstance, HTTPMethods } from "fastify";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
/** A number, a UUID or another id in hex: no path of another version is written so. */
const id = /^(?=.*[0-9])[0-9a-f-]+$/i;
/** No route has this as a literal part of its path. */
const anyName = "~";

/** Returns the methods that this very path has. */
export function methodsAt(app: FastifyInstance, path: string): string[] {
  const bare = path.replace(/\/$/, "");
  return methods.filter((method) => app.findRoute({ method, url: bare }) && !isNeighbour(app, method, bare));
}

/**
 * Whether the path is found only because a collection's route takes any name at its end: `registry/ping` is a path of the
 * API that this version does not have, and not a registry named ping that can be deleted.
 */
function isNeighbour(app: FastifyInstance, method: HTTPMethods, path: string): boolean {
  const at = path.lastIndexOf("/");
  const other = app.findRoute({ method, url: `${path.slice(0, at)}/${anyName}` });
  return other !== null && Object.keys(other.params).length === 1 && !id.test(path.slice(at + 1));
}
