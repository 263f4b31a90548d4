import { Type } from "typebox";
import { ContainerInfo, ContainerPath } from "../../api/container-info.ts";
import type { ContainerListService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { createListWriter, jsonType } from "../json.ts";
import { callerOf } from "../session-cookie.ts";

const base = "/api/v1/container";
const tags = ["container"];
const text = { 200: { description: "The id", content: { "text/plain": { schema: Type.String() } } } };

export function containerListRoutes(app: App, containers: ContainerListService): void {
  const list = { tags, summary: "All containers with live numbers", response: { 200: Type.Array(ContainerInfo) } };
  // Fastify sends bytes as they are, but its types know of texts only.
  const write = createListWriter() as unknown as (payload: unknown) => string;
  app.get(base, { schema: list }, async (request, reply) => {
    const found = await containers.list(callerOf(request));
    return reply.type(jsonType).serializer(write).send(found);
  });

  const get = { tags, summary: "Basic information", params: ContainerPath, response: { 200: ContainerInfo } };
  app.get(`${base}/:type/:id`, { schema: get }, (request) =>
    containers.get(callerOf(request), request.params.type, request.params.id),
  );

  const params = Type.Object({ name: Type.String({ minLength: 1 }) });
  const find = { tags, summary: "Basic information by name", params, response: { 200: ContainerInfo } };
  app.get(`${base}/:name`, { schema: find }, (request) => containers.find(callerOf(request), request.params.name));

  const getId = { tags, summary: "The id of a name, as plain text", params: ContainerPath, response: text };
  app.get(`${base}/:type/getid/:id`, { schema: getId }, async (request, reply) => {
    const id = await containers.idOf(callerOf(request), request.params.type, request.params.id);
    return reply.type("text/plain; charset=utf-8").send(id);
  });
}
