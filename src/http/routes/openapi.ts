import type { App } from "../app.ts";

export function openapiRoutes(app: App, describe: () => Promise<unknown>): void {
  let document: Promise<unknown> | undefined;
  app.get("/openapi.json", () => (document ??= describe()));
}
