import { Type } from "typebox";
import { findTarget, refreshView, targetFields } from "../container/target.ts";
import { planTarget } from "../container/verb.ts";
import { storedRequest } from "../stored-request.ts";
import { defineTaskKind } from "../task-kind.ts";

/**
 * The job that removes a container. From the first step on it only goes forward: the record goes when the container has.
 */
export const openvzRemove = defineTaskKind({
  kind: "openvz_remove",
  category: null,
  verb: "container:remove",
  lane: "quick",
  request: storedRequest(
    Type.Object({
      ...targetFields,
      /** UUID of the container. */
      container: Type.String(),
    }),
  ),
  async plan(request) {
    return planTarget(request);
  },
  async run({ request, context, dependencies }) {
    const { type, id: asked } = request;
    const view = dependencies.inventory.require(type);
    const container = await findTarget(view.engine, request);
    // A container that is gone, by an earlier try of this task or by somebody else, has no owner any more.
    const containers = container ? [{ type, asked, container }] : [];
    await dependencies.authorize(context.user, "container:remove", { request: {}, containers });
    await context.pivot();
    if (container) await context.step("remove", null, () => view.engine.containers.remove(container.id));
    await context.step("record", null, () => dependencies.openvz.forget(request.container));
    await refreshView(view, request.id);
    return undefined;
  },
});
