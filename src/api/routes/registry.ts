import { Type } from "typebox";
import { RegistryList, RegistryName, RegistryRequest } from "../registry.ts";
import type { RouteTable } from "../route.ts";

const path = "/api/v1/registry";
const tag = "registry";

/** Private registries. */
export const registryRoutes = {
  "registries.list": {
    method: "GET",
    path,
    tag,
    summary: "List registries",
    verb: "registry:list",
    audited: false,
    response: RegistryList,
  },
  "registries.save": {
    method: "POST",
    path,
    tag,
    summary: "Add or edit a registry",
    verb: "registry:save",
    audited: true,
    body: RegistryRequest,
    response: RegistryList,
  },
  "registries.remove": {
    method: "DELETE",
    path: `${path}/:name`,
    tag,
    summary: "Remove a registry",
    verb: "registry:remove",
    audited: true,
    params: Type.Object({ name: Type.String() }),
    response: RegistryList,
  },
  "registries.remove:by-body": {
    method: "DELETE",
    path,
    tag,
    summary: "Remove the registry that the body names",
    verb: "registry:remove",
    audited: true,
    body: RegistryName,
    response: RegistryList,
  },
} satisfies RouteTable;
