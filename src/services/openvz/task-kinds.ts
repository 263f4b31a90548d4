import type { CreateRequest } from "../../api/create.ts";
import type { Shape } from "../../engines/shape.ts";
import type { OpenvzStore } from "../../storage/openvz-store.ts";
import type { Handler } from "../../tasks/handler.ts";
import { inOwnWords } from "./parameters.ts";
import { awaitedHandler, findTarget, gone, refresh, type Target } from "../kinds/awaited.ts";
import { containerVerbs } from "../kinds/container-verbs.ts";
import { createHandler } from "../kinds/create.ts";
import type { KindOptions } from "../kinds/options.ts";

/** Jobs of the containers-and-jobs API, with what each is asked. Their names in there are without the beginning. */
export interface OpenvzRequests {
  openvz_create: { container: string; ostemplate: string; createdAt: number; create: CreateRequest };
  openvz_update: Target & OpenvzUpdateRequest;
  openvz_remove: Target & { container: string };
  openvz_start: Target;
  openvz_stop: Target;
  openvz_restart: Target;
}
export type OpenvzKind = keyof OpenvzRequests;

export interface OpenvzUpdateRequest {
  container: string;
  change: Shape;
  /** JSON of the map, as it was sent. */
  parameters: string;
  description?: string;
  restarts: boolean;
}

export type OpenvzKindOptions = KindOptions & { openvz: Pick<OpenvzStore, "record" | "setParameters" | "forget"> };

/**
 * A job was promised when it was accepted, and nobody waits for it at its request: so, unlike the verbs that are waited
 * for, it is carried out also after a restart of the station, and when its engine was away.
 */
export function openvzHandlers(options: OpenvzKindOptions): { [K in OpenvzKind]: Handler } {
  return {
    openvz_create: create(options),
    openvz_update: update(options),
    openvz_remove: remove(options),
    openvz_start: { run: awaitedHandler(options, containerVerbs.container_start).run },
    openvz_stop: { run: awaitedHandler(options, containerVerbs.container_stop).run },
    openvz_restart: { run: awaitedHandler(options, containerVerbs.container_restart).run },
  };
}

/** The record is the last step: a create that fails has none, and one that is undone takes it back first. */
function create(options: OpenvzKindOptions): Handler {
  const made = createHandler(options);
  return {
    async run(context) {
      const request = context.params as OpenvzRequests["openvz_create"];
      const { container: id, ostemplate, createdAt, create } = request;
      await made.run({ ...context, params: create });
      const row = { id, name: create.name, ostemplate, engine: create.type, createdAt, task: context.id };
      await context.step("record", { op: "openvz_forget", args: { container: id } }, () => options.openvz.record(row));
      return undefined;
    },
  };
}

/** Its pivot is before the first change: a container that was half changed is changed to the end. */
function update(options: OpenvzKindOptions): Handler {
  return {
    async run(context) {
      const request = context.params as OpenvzRequests["openvz_update"];
      const { type, id: asked, change } = request;
      const view = options.inventory.require(type);
      const container = await findTarget(view.engine, request);
      const containers = container ? [{ type, asked, container }] : [];
      await options.authorize(context.user, "container:change", {
        request: { addresses: change.addresses },
        containers,
      });
      if (!container) throw gone(request);
      await context.pivot();
      const { container: id, parameters, description } = request;
      if (Object.keys(change).length > 0)
        await context.step("reshape", null, () =>
          view.engine.containers
            .reshape(container.id, change, context.signal)
            .catch((error: unknown) => Promise.reject(inOwnWords(error))),
        );
      const row = { id, parameters, ...(description !== undefined && { description }) };
      await context.step("record", null, () => options.openvz.setParameters(row));
      await refresh(view, container.id);
      return undefined;
    },
  };
}

/** From the first step on it only goes forward: the record goes when the container has. */
function remove(options: OpenvzKindOptions): Handler {
  return {
    async run(context) {
      const request = context.params as OpenvzRequests["openvz_remove"];
      const { type, id: asked } = request;
      const view = options.inventory.require(type);
      const container = await findTarget(view.engine, request);
      // What is gone, by an earlier try of this or by somebody else, is nobody's any more.
      const containers = container ? [{ type, asked, container }] : [];
      await options.authorize(context.user, "container:remove", { request: {}, containers });
      await context.pivot();
      if (container) await context.step("remove", null, () => view.engine.containers.remove(container.id));
      await context.step("record", null, () => options.openvz.forget(request.container));
      await refresh(view, request.id);
      return undefined;
    },
  };
}
