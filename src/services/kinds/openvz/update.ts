import { Type } from "typebox";
import { translateField } from "../../planning/openvz-parameters.ts";
import { findTarget, refreshView, targetFields, targetGone } from "../container/target.ts";
import { planTarget } from "../container/verb.ts";
import { storedRequest } from "../stored-request.ts";
import { defineTaskKind } from "../task-kind.ts";

/** As `Shape` of the engines. */
const Change = Type.Object({
  hostname: Type.Optional(Type.String()),
  cpuTime: Type.Optional(Type.Number()),
  memory: Type.Optional(Type.Number()),
  size: Type.Optional(Type.Number()),
  addresses: Type.Optional(Type.Array(Type.String())),
  nameServers: Type.Optional(Type.Array(Type.String())),
});

const UpdateRequest = Type.Object({
  ...targetFields,
  /** UUID of the container. */
  container: Type.String(),
  change: Change,
  /** JSON of the map, as it was sent. */
  parameters: Type.String(),
  description: Type.Optional(Type.String()),
  /** The container is stopped and started for the change. */
  restarts: Type.Boolean(),
});

/**
 * The job that changes a container. Its pivot is before the first change: a container that was half changed is changed to
 * the end.
 */
export const openvzUpdate = defineTaskKind({
  kind: "openvz_update",
  category: null,
  verb: "container:change",
  lane: "quick",
  request: storedRequest(UpdateRequest),
  async plan(request) {
    return planTarget(request);
  },
  async run({ request, context, dependencies }) {
    const { type, id: asked, change } = request;
    const view = dependencies.inventory.require(type);
    const container = await findTarget(view.engine, request);
    const containers = container ? [{ type, asked, container }] : [];
    const demands = { request: { addresses: change.addresses }, containers };
    await dependencies.authorize(context.user, "container:change", demands);
    if (!container) throw targetGone(request);
    await context.pivot();
    const { container: id, parameters, description } = request;
    if (Object.keys(change).length > 0)
      await context.step("reshape", null, () =>
        view.engine.containers
          .reshape(container.id, change, context.signal)
          .catch((error: unknown) => Promise.reject(translateField(error))),
      );
    const row = { id, parameters, ...(description !== undefined && { description }) };
    await context.step("record", null, () => dependencies.openvz.setParameters(row));
    await refreshView(view, container.id);
    return undefined;
  },
});
