import { Type } from "typebox";
import { CreateRequest } from "../../../api/create.ts";
import { create } from "../create.ts";
import { storedRequest } from "../stored-request.ts";
import { defineTaskKind } from "../task-kind.ts";
import { forgetRecord } from "../undo.ts";

const JobRequest = Type.Object({
  /** UUID that the container will have. */
  container: Type.String(),
  ostemplate: Type.String(),
  /** Epoch milliseconds. */
  createdAt: Type.Integer(),
  create: CreateRequest,
});

/**
 * The job that creates a container. The record is the last step: a create that fails has none, and one that is undone
 * takes it back first.
 */
export const openvzCreate = defineTaskKind({
  kind: "openvz_create",
  category: null,
  verb: create.verb,
  lane: create.lane,
  undo: [forgetRecord],
  request: storedRequest(JobRequest),
  plan: (request, dependencies) => create.plan(request.create, dependencies),
  async run({ request, context, dependencies }) {
    const { container: id, ostemplate, createdAt } = request;
    const { name, type: engine } = request.create;
    const created = await create.run({ request: request.create, context, dependencies });
    const row = { id, name, ostemplate, engine, createdAt, task: context.id };
    await context.step("record", forgetRecord.of({ container: id }), () => dependencies.openvz.record(row));
    return { result: 0, error: null, made: created?.made };
  },
});
