import { fastify } from "fastify";
import { routeTable } from "../api/routes.ts";
import { addIdleRoutes } from "./routes/add-routes.ts";

/** Returns the OpenAPI document of all routes. They are described on a second, idle server, when somebody asks for it. */
export async function describeApi(version: string): Promise<Record<string, unknown>> {
  const { default: swagger } = await import("@fastify/swagger");
  const app = fastify({ exposeHeadRoutes: false });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
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
  addIdleRoutes(app, routeTable);
  await app.ready();
  return { ...app.swagger() };
}
