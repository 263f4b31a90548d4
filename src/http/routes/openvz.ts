import { Type } from "typebox";
import {
  OpenvzAccepted,
  OpenvzContainerAnswer,
  OpenvzContainerList,
  OpenvzCreate,
  OpenvzCreated,
  OpenvzError,
  OpenvzJobAnswer,
  OpenvzJobList,
  OpenvzUpdate,
  OpenvzUpdated,
} from "../../api/openvz.ts";
import type { OpenvzService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { untilHangUp } from "../hang-up.ts";
import { openvzRoot } from "../paths.ts";
import { callerOf } from "../session-cookie.ts";
import { missingOrEmpty } from "../validation.ts";

const containers = `${openvzRoot}/containers`;
const jobs = `${openvzRoot}/jobs`;
const tags = ["openvz"];
const errors = { "4xx": OpenvzError, "5xx": OpenvzError };
const one = Type.Object({ id: Type.String({ description: "A UUID" }) });
const accepted = { 202: OpenvzAccepted, ...errors };
/** The documented words for what is not there. */
const schemaErrorFormatter = missingOrEmpty;

/** Containers and jobs, as in the original; the list of jobs and the three verbs are beyond it. */
export function openvzRoutes(app: App, openvz: OpenvzService): void {
  const create = { tags, summary: "Create and start a container", body: OpenvzCreate };
  app.post(
    containers,
    { schema: { ...create, response: { ...accepted, 202: OpenvzCreated } }, schemaErrorFormatter },
    async (request, reply) => reply.code(202).send(await openvz.create(callerOf(request), request.body)),
  );

  const list = { tags, summary: "The containers of this API" };
  app.get(containers, { schema: { ...list, response: { 200: OpenvzContainerList, ...errors } } }, (request) =>
    openvz.list(callerOf(request)),
  );

  const get = { tags, summary: "A container", params: one, response: { 200: OpenvzContainerAnswer, ...errors } };
  app.get(`${containers}/:id`, { schema: get }, (request) => openvz.get(callerOf(request), request.params.id));

  const update = { tags, summary: "Change a container, and wait for it", params: one, body: OpenvzUpdate };
  const updated = { schema: { ...update, response: { 200: OpenvzUpdated, ...errors } }, schemaErrorFormatter };
  app.patch(`${containers}/:id`, updated, (request, reply) =>
    openvz.update(callerOf(request), request.params.id, request.body, untilHangUp(reply)),
  );

  const remove = { tags, summary: "Remove a container, running or not", params: one, response: accepted };
  app.delete(`${containers}/:id`, { schema: remove }, async (request, reply) =>
    reply.code(202).send(await openvz.remove(callerOf(request), request.params.id)),
  );

  for (const verb of ["start", "stop", "restart"] as const) {
    const schema = { tags, summary: `${verb} a container`, params: one, response: accepted };
    app.post(`${containers}/:id/${verb}`, { schema }, async (request, reply) =>
      reply.code(202).send(await openvz[verb](callerOf(request), request.params.id)),
    );
  }

  const getJob = { tags, summary: "How a job is", params: one, response: { 200: OpenvzJobAnswer, ...errors } };
  app.get(`${jobs}/:id`, { schema: getJob }, (request) => openvz.getJob(callerOf(request), request.params.id));

  const listJobs = { tags, summary: "Jobs, newest first" };
  app.get(jobs, { schema: { ...listJobs, response: { 200: OpenvzJobList, ...errors } } }, (request) =>
    openvz.listJobs(callerOf(request)),
  );
}
