import { fastify } from "fastify";
import type { App } from "../../src/http/app.ts";
import { registerRoutes } from "../../src/http/routes.ts";
import { openapiRoutes } from "../../src/http/routes/openapi.ts";
import { createStub } from "../http/stub-services.ts";

export interface ListedRoute {
  method: string;
  /** Below /api/v1, unless it is another's. */
  url: string;
  /** What it takes. */
  schema: { body?: object; params?: object; querystring?: object };
}

/** Returns every route of the station. */
export function listRoutes(): ListedRoute[] {
  const found: ListedRoute[] = [];
  const app = fastify() as unknown as App;
  app.setValidatorCompiler(() => () => true);
  app.addHook("onRoute", ({ method, url, schema = {} }) => {
    const taken = schema as ListedRoute["schema"];
    for (const one of [method].flat()) found.push({ method: one, url: url.replace(/^\/api\/v1/, ""), schema: taken });
  });
  const { services } = createStub();
  const streamLimits = { buffer: 0, heartbeat: 0 };
  registerRoutes(app, { services, streamLimits, stopping: AbortSignal.abort(), log: () => {} });
  openapiRoutes(app, services.sessions, async () => ({}));
  return found;
}
