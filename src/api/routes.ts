import type { CalledMethod, RouteTable } from "./route.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { backgroundRoutes } from "./routes/background.ts";
import { containerListRoutes, insideRoutes, lifecycleRoutes } from "./routes/container.ts";
import { eventRoutes } from "./routes/events.ts";
import { logRoutes } from "./routes/log.ts";
import { openvzRoutes } from "./routes/openvz.ts";
import { registryRoutes } from "./routes/registry.ts";
import { sessionRoutes } from "./routes/session.ts";
import { systemRoutes } from "./routes/system.ts";
import { tlsRoutes } from "./routes/tls.ts";

/** All routes of the station, by name. */
export const routes = {
  ...sessionRoutes,
  ...accountRoutes,
  ...logRoutes,
  ...backgroundRoutes,
  ...lifecycleRoutes,
  ...insideRoutes,
  ...containerListRoutes,
  ...registryRoutes,
  ...eventRoutes,
  ...systemRoutes,
  ...tlsRoutes,
  ...openvzRoutes,
};
/** The same, where any route will do. */
export const routeTable: RouteTable = routes;
export type Routes = typeof routes;
export type RouteName = keyof Routes;
/** A method of the services that a route is named after, as `lifecycle.start`. */
export type RouteMethod = CalledMethod<RouteName>;

/** Returns the method of the services that a route calls. */
export function methodOfRoute(name: string): string {
  return name.split(":", 1)[0] ?? name;
}
