import type { Services } from "../services/contract/services.ts";
import type { App } from "./app.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { backgroundRoutes } from "./routes/background.ts";
import { containerListRoutes } from "./routes/container-list.ts";
import { eventRoutes } from "./routes/events.ts";
import { healthRoutes } from "./routes/health.ts";
import { insideRoutes } from "./routes/inside.ts";
import { lifecycleRoutes } from "./routes/lifecycle.ts";
import { logRoutes } from "./routes/log.ts";
import { loginPageRoutes } from "./routes/login-page.ts";
import { openvzRoutes } from "./routes/openvz.ts";
import { registryRoutes } from "./routes/registry.ts";
import { sessionRoutes } from "./routes/session.ts";
import { systemRoutes } from "./routes/system.ts";
import { tlsRoutes } from "./routes/tls.ts";
import type { Log } from "../util/log.ts";
import type { StreamLimits } from "./event-stream.ts";

export interface RouteDeps {
  services: Services;
  streamLimits: StreamLimits;
  /** Aborts when the server stops. */
  stopping: AbortSignal;
  log: Log;
}

export function registerRoutes(app: App, deps: RouteDeps): void {
  sessionRoutes(app, deps.services.sessions);
  loginPageRoutes(app, deps.services.sessions);
  accountRoutes(app, deps.services);
  logRoutes(app, deps.services.log);
  backgroundRoutes(app, deps.services.background);
  lifecycleRoutes(app, deps.services.lifecycle);
  insideRoutes(app, deps.services.inside);
  containerListRoutes(app, deps.services.containerList);
  registryRoutes(app, deps.services.registries);
  eventRoutes(app, { events: deps.services.events, limits: deps.streamLimits, stopping: deps.stopping, log: deps.log });
  healthRoutes(app, deps.services.health);
  systemRoutes(app, deps.services.system);
  tlsRoutes(app, deps.services.certificates);
  openvzRoutes(app, deps.services.openvz);
}
