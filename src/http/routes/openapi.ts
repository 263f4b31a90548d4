import type { SessionService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { callerOf } from "../session-cookie.ts";

export function openapiRoutes(app: App, sessions: SessionService, describe: () => Promise<unknown>): void {
  let document: Promise<unknown> | undefined;
  app.get("/openapi.json", (request) => sessions.check(callerOf(request)).then(() => (document ??= describe())));
}
