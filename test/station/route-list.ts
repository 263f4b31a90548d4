import { fastify } from "fastify";
import type { Route } from "../../src/api/route.ts";
import { routeTable } from "../../src/api/routes.ts";
import { registerRoutes } from "../../src/http/routes/register.ts";
import { createStub } from "../http/stub-services.ts";
import { silentLog } from "../../src/util/log.ts";

export interface ListedRoute {
  method: string;
  /** Below /api/v1, unless it is another's. */
  url: string;
  /** What it takes. */
  schema: { body?: object; params?: object; querystring?: object };
}

/** Returns how tests call a route: its method, and its path below /api/v1, unless it is another API's. */
export function shortName({ method, path }: Pick<Route, "path"> & { method: string }): string {
  return `${method} ${path.replace(/^\/api\/v1/, "")}`;
}

const byName = new Map(Object.values(routeTable).map((route) => [shortName(route), route]));

/** Returns every route that a server of the station has. */
export function listRoutes(): ListedRoute[] {
  const found: ListedRoute[] = [];
  const app = fastify();
  app.setValidatorCompiler(() => () => true);
  app.addHook("onRoute", ({ method: methods, url: path }) => {
    for (const method of [methods].flat()) {
      const [, url = ""] = shortName({ method, path: path as Route["path"] }).split(" ");
      const { body, params, query: querystring } = byName.get(`${method === "HEAD" ? "GET" : method} ${url}`) ?? {};
      found.push({
        method,
        url,
        schema: { ...(body && { body }), ...(params && { params }), ...(querystring && { querystring }) },
      });
    }
  });
  const { services } = createStub();
  const streamLimits = { buffer: 0, heartbeat: 0 };
  const stopping = AbortSignal.abort();
  registerRoutes(app, { services, streamLimits, stopping, log: silentLog, describe: async () => ({}) });
  return found;
}
