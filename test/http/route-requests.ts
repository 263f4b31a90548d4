import { routeTable } from "../../src/api/routes.ts";
import { table } from "../station/role-table.ts";
import { shortName } from "../station/route-list.ts";

/** Values for the names in capitals of the table of roles. */
const names: Record<string, string> = { SPARE_TOKEN: "7" };

/** A request for each route of the station, as its row in the table of roles has it. */
export const routeRequests = Object.entries(routeTable).map(([name, { method, path: url }]) => {
  const route = shortName({ method, path: url });
  const { path, body } = table[route] ?? {};
  const filled = (path ?? route.split(" ")[1] ?? "").replace(/[A-Z_]{5,}/, (word) => names[word] ?? word);
  const whole = url.startsWith("/api/v1") ? `/api/v1${filled}` : filled;
  const sent = body?.("admin");
  const text = typeof sent === "string" ? sent : JSON.stringify(sent);
  return { name, route, method, path: whole, options: { method, ...(text !== undefined && { body: text }) } };
});
