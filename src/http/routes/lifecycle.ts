import { Type } from "typebox";
import { ContainerInfo } from "../../api/container-info.ts";
import {
  CommitAnswer,
  CommitRequest,
  ContainerPlace,
  RemoveQuery,
  RenameRequest,
  ResourceAnswer,
  StopQuery,
  SyncCreateRequest,
} from "../../api/lifecycle.ts";
import type { LifecycleService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { untilHangUp } from "../hang-up.ts";
import { addOptions } from "../idempotency.ts";
import { callerOf } from "../session-cookie.ts";

const base = "/api/v1/container";
const one = `${base}/:type/:id`;
const tags = ["container"];
const params = ContainerPlace;
const response = { 200: ContainerInfo };

/** PUT for what the documents have, POST for what they have not: pause, unpause and rename. */
export function lifecycleRoutes(app: App, lifecycle: LifecycleService): void {
  const create = { tags, summary: "Create and start a container, and wait for it", body: SyncCreateRequest, response };
  app.post(base, { schema: create }, (request, reply) => {
    const options = { ...addOptions(request), signal: untilHangUp(reply) };
    return lifecycle.create(callerOf(request), request.body, options);
  });

  const start = { tags, summary: "Start a container", params, response };
  app.put(`${one}/start`, { schema: start }, (request, reply) =>
    lifecycle.start(callerOf(request), request.params, untilHangUp(reply)),
  );

  for (const verb of ["stop", "restart"] as const) {
    const schema = { tags, summary: `${capital(verb)} a container`, params, querystring: StopQuery, response };
    app.put(`${one}/${verb}`, { schema }, (request, reply) => {
      const { timeout } = request.query;
      const how = { grace: timeout === undefined ? undefined : Number(timeout) };
      return lifecycle[verb](callerOf(request), request.params, how, untilHangUp(reply));
    });
  }

  for (const verb of ["pause", "unpause"] as const) {
    const schema = { tags, summary: `${capital(verb)} a container`, params, response };
    app.post(`${one}/${verb}`, { schema }, (request, reply) =>
      lifecycle[verb](callerOf(request), request.params, untilHangUp(reply)),
    );
  }

  const rename = { tags, summary: "Give a container another name", params, body: RenameRequest, response };
  app.post(`${one}/rename`, { schema: rename }, (request, reply) =>
    lifecycle.rename(callerOf(request), request.params, request.body, untilHangUp(reply)),
  );

  changeRoutes(app, lifecycle);
}

function changeRoutes(app: App, lifecycle: LifecycleService): void {
  const remove = {
    tags,
    summary: "Remove a container; a running one only with force",
    params,
    querystring: RemoveQuery,
    response: { 200: Type.Object({}) },
  };
  app.delete(one, { schema: remove }, (request, reply) => {
    const { remove_volumes: removeVolumes, force } = request.query;
    const how = { removeVolumes: isTrue(removeVolumes), force: isTrue(force) };
    return lifecycle.remove(callerOf(request), request.params, how, untilHangUp(reply));
  });

  const commit = {
    tags,
    summary: "Make an image of a container; docker only",
    params,
    body: CommitRequest,
    response: { 200: CommitAnswer },
  };
  app.post(`${one}/commit`, { schema: commit }, (request, reply) =>
    lifecycle.commit(callerOf(request), request.params, request.body, untilHangUp(reply)),
  );

  const all = { tags: ["resource"], summary: "What a container was given", params };
  app.get(`${one}/all`, { schema: { ...all, response: { 200: ResourceAnswer } } }, (request) =>
    lifecycle.settings(callerOf(request), request.params),
  );

  const switched = Type.Object({ ...params.properties, state: Type.Union([Type.Literal("on"), Type.Literal("off")]) });
  const autostart = {
    tags: ["resource"],
    summary: "Start a container when the host boots, or not",
    params: switched,
    response: { 200: ResourceAnswer },
  };
  app.put(`${one}/autostart/:state`, { schema: autostart }, (request, reply) => {
    const { type, id, state } = request.params;
    return lifecycle.setAutostart(callerOf(request), { type, id }, { on: state === "on" }, untilHangUp(reply));
  });
}

function isTrue(text: string | undefined): boolean {
  return text === "1" || text?.toLowerCase() === "true";
}

function capital(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
}
