import { Type } from "typebox";
import { RegistryList, RegistryRequest } from "../../api/registry.ts";
import type { RegistryService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { callerOf } from "../session-cookie.ts";

const base = "/api/v1/registry";
const tags = ["registry"];
const response = { 200: RegistryList };
const RegistryName = Type.Object({ name: Type.String({ maxLength: 64 }) }, { additionalProperties: false });

export function registryRoutes(app: App, registries: RegistryService): void {
  const list = { tags, summary: "List registries", response };
  app.get(base, { schema: list }, (request) => registries.list(callerOf(request)));

  const save = { tags, summary: "Add or edit a registry", body: RegistryRequest, response };
  app.post(base, { schema: save }, (request) => registries.save(callerOf(request), request.body));

  const remove = { tags, summary: "Remove a registry", params: Type.Object({ name: Type.String() }), response };
  app.delete(`${base}/:name`, { schema: remove }, (request) =>
    registries.remove(callerOf(request), request.params.name),
  );

  const removeNamed = { tags, summary: "Remove the registry that the body names", body: RegistryName, response };
  app.delete(base, { schema: removeNamed }, (request) => registries.remove(callerOf(request), request.body.name));
}
