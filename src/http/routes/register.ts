import type { FastifyInstance } from "fastify";
import { routes } from "../../api/routes.ts";
import { openvzRoutes } from "../../api/routes/openvz.ts";
import type { Services } from "../../services/contract/services.ts";
import { accountHandlers } from "./accounts.ts";
import { addRoutes } from "./add-routes.ts";
import { backgroundHandlers } from "./background.ts";
import { containerListHandlers } from "./container-list.ts";
import { eventHandlers, type EventOptions } from "./events.ts";
import { insideHandlers } from "./inside.ts";
import { lifecycleHandlers } from "./lifecycle.ts";
import { logHandlers } from "./log.ts";
import { openvzHandlers } from "./openvz.ts";
import { registryHandlers } from "./registry.ts";
import { sessionHandlers } from "./session.ts";
import { systemHandlers } from "./system.ts";
import { tlsHandlers } from "./tls.ts";

export interface RouteDeps extends EventOptions {
  /** What the routes call. */
  services: Services;
  /** Returns the OpenAPI document. */
  describe(): Promise<Record<string, unknown>>;
}

/** Adds all routes of the station. */
export function registerRoutes(app: FastifyInstance, { services, describe, ...options }: RouteDeps): void {
  addRoutes(app, routes, {
    ...sessionHandlers(services),
    ...accountHandlers(services),
    ...logHandlers(services),
    ...backgroundHandlers(services),
    ...lifecycleHandlers(services),
    ...insideHandlers(services),
    ...containerListHandlers(services),
    ...registryHandlers(services),
    ...eventHandlers(services, options),
    ...systemHandlers(services, describe),
    ...tlsHandlers(services),
    ...openvzHandlers(services),
  });
}

/** Adds the routes of the containers-and-jobs API only. */
export function registerOpenvzRoutes(app: FastifyInstance, services: Pick<Services, "openvz">): void {
  addRoutes(app, openvzRoutes, openvzHandlers(services));
}
