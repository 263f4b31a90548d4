import { fastify } from "fastify";
import type { Services } from "../services/contract/services.ts";
import type { App } from "./app.ts";
import { applyQueryRule } from "./query.ts";
import { registerRoutes } from "./routes.ts";

/**
 * The routes are described on a second, idle application, when somebody asks: so neither the start nor a request pays
 * for it.
 */
export async function describeApi(version: string): Promise<unknown> {
  const { default: swagger } = await import("@fastify/swagger");
  const app = fastify({ exposeHeadRoutes: false }) as unknown as App;
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  applyQueryRule(app);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Gantry",
        version,
        description: "One API for Docker, LXC and LXD; every change is a durable task.",
      },
      components: { securitySchemes: { session: { type: "apiKey", in: "cookie", name: "CS_SESS_ID" } } },
      security: [{ session: [] }],
    },
  });
  const streamLimits = { buffer: 0, heartbeat: 0 };
  // No handler runs here, so there is nothing for one to call.
  const services = {} as Services;
  registerRoutes(app, { services, streamLimits, stopping: AbortSignal.abort(), log: () => {} });
  await app.ready();
  return app.swagger();
}
