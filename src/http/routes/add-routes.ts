import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { Route, RouteTable } from "../../api/route.ts";
import { moveQueryToBody, querySchema } from "../requests/query.ts";
import { missingOrEmpty } from "../requests/validation.ts";
import type { Handlers, Named, RequestTypes } from "./handler.ts";

/** Adds the routes of a table to the server, each with its handler. */
export function addRoutes<T extends Named<T>>(app: FastifyInstance, table: T, handlers: Handlers<T>): void {
  for (const name in table) {
    const route: Route = table[name];
    const status = route.status ?? 200;
    const handle = handlers[name];
    app.route<RequestTypes<T[typeof name]>>({
      ...optionsOf(name, route),
      handler: status === 200 ? handle : (request, reply) => handle(request, reply.code(status)),
    });
  }
}

/** Adds the routes of a table with handlers that do nothing, for a description of the API. */
export function addIdleRoutes(app: FastifyInstance, table: RouteTable): void {
  for (const [name, route] of Object.entries(table)) app.route({ ...optionsOf(name, route), handler: () => undefined });
}

function optionsOf(name: string, route: Route) {
  const { method, path, tag, summary, verb, params, body, bodyLimit, withoutHead, fieldsInQuery, errors } = route;
  const response = responsesOf(route);
  return {
    method,
    url: path,
    schema: {
      operationId: name,
      tags: [tag],
      summary,
      ...(verb === "open" && { security: [] }),
      ...(params && { params }),
      querystring: querySchema(route),
      ...(body && { body }),
      ...(response && { response }),
    },
    ...(withoutHead && { exposeHeadRoute: false }),
    ...(bodyLimit !== undefined && { bodyLimit }),
    ...(fieldsInQuery && { preValidation: moveQueryToBody }),
    // The containers-and-jobs API has documented words for a field that is missing.
    ...(errors && { schemaErrorFormatter: missingOrEmpty }),
  };
}

/** Returns the schemas of responses by status, for the OpenAPI document. Responses are not checked against them. */
function responsesOf({ response, file, status = 200, errors }: Route) {
  const content = file && { description: file.description, content: { [file.type]: { schema: Type.String() } } };
  const success = response ?? content;
  return success && { [status]: success, ...(errors && { "4xx": errors, "5xx": errors }) };
}
