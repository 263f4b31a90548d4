import { openvzRoot } from "../../api/routes/openvz.ts";

/** The path of the API that the routes have. Clients know it by two other names too. */
const root = "/api/v1";
const aliases = [`/container-station${root}`, `/containerstation${root}`];

/** Paths of the containers-and-jobs API. Every version in the path means the one that there is. */
const openvzPaths = /^\/v\d+(?:\.\d+)?(?=\/(?:containers|jobs)(?:[/?]|$))/;

/** A path without a route, for a request target that is not a path, as `*` or `http://host/`. */
export const nowhere = "/.not-a-path";

/** Returns the path that the router sees, with its query as it is. The router itself ignores a trailing slash. */
export function canonicalPath(url: string): string {
  if (url.charCodeAt(0) !== 47) return nowhere;
  if (url.startsWith("/v")) return url.replace(openvzPaths, openvzRoot);
  if (!url.startsWith("/container")) return url;
  for (const alias of aliases) {
    if (!url.startsWith(alias)) continue;
    const next = url[alias.length];
    if (next === undefined || next === "/" || next === "?") return root + url.slice(alias.length);
  }
  return url;
}
