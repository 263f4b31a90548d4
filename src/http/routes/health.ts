import { Type } from "typebox";
import type { HealthService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";

const Health = Type.Object({
  status: Type.Literal("ok"),
  engines: Type.Array(Type.Object({ type: Type.String(), available: Type.Boolean() })),
});

export function healthRoutes(app: App, health: HealthService): void {
  const schema = {
    tags: ["station"],
    summary: "Is the station up, and which engines answer",
    response: { 200: Health },
  };
  app.get("/healthz", { schema }, () => health.get());
}
