import { openvzRoot } from "../../api/routes/openvz.ts";

/** Clients know the station's API under three names; inside there is one. */
const root = "/api/v1";
const aliases = [`/container-station${root}`, `/containerstation${root}`];

/** Of the containers-and-jobs API any version leads to the one there is. */
const openvzPaths = /^\/v\d+(?:\.\d+)?(?=\/(?:containers|jobs)(?:[/?]|$))/;

/** Where no route is: for a request target that is not a path, as `*` or `http://host/`. */
export const nowhere = "/.not-a-path";

/** The path that the router sees; the query stays. A trailing slash is the router's business. */
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
