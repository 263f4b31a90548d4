import type { Container, Engine } from "../../engines/engine.ts";
import { AppError } from "../../errors.ts";
import { guardMounts } from "../containers/mount-guard.ts";
import { containerKey } from "../planning/resource-keys.ts";
import type { Acting, AwaitedKind, Rule } from "./awaited.ts";
import type { KindOptions } from "./options.ts";

/** What is done with a container that is there. */
export const containerVerbs: { [K in AwaitedKind]: Rule<K> } = {
  container_start: {
    verb: "container:start",
    async act({ engine, container, options }) {
      if (container.paused) throw new AppError("conflict", `${container.name} is paused: unpause it.`);
      await options.pins.restore(container.mounts, { anew: true });
      await engine.containers.start(container.id);
      await settleStarted(options, engine, container.id);
    },
    isDone: ({ container }) => container?.state === "running",
  },

  container_stop: {
    verb: "container:stop",
    act: ({ engine, container, request, context }) =>
      engine.containers.stop(container.id, { grace: request.grace, signal: context.signal }),
    isDone: ({ container }) => container?.state === "stopped",
  },

  /** Done when another first process runs than before, which is written down before it begins. */
  container_restart: {
    verb: "container:restart",
    async act({ engine, container, request, context, options }) {
      const before = await context.step("before", null, async () => container.pid);
      const { grace } = request;
      await context.step("restart", null, async (repeated) => {
        if (repeated && container.pid > 0 && container.pid !== before) return;
        await options.pins.restore(container.mounts, { anew: true });
        await engine.containers.restart(container.id, { grace, signal: context.signal });
      });
      await settleStarted(options, engine, container.id);
    },
    async isDone({ container, context }) {
      const before = await context.step("before", null, async (): Promise<number | null> => null);
      return before !== null && container !== undefined && container.pid > 0 && container.pid !== before;
    },
  },

  container_pause: {
    verb: "container:pause",
    act: ({ engine, container }) => engine.containers.pause(container.id),
    isDone: ({ container }) => container?.paused === true,
  },

  container_unpause: {
    verb: "container:unpause",
    act: ({ engine, container }) => engine.containers.unpause(container.id),
    isDone: ({ container }) => container?.state === "running" && !container.paused,
  },

  container_rename: {
    verb: "container:rename",
    act: rename,
    async isDone({ engine, request }) {
      return (await engine.containers.getByName(request.to))?.incarnation === request.incarnation;
    },
  },

  container_autostart: {
    verb: "container:autostart",
    act: ({ engine, container, request }) => engine.containers.setAutostart(container.id, request.on),
    async isDone({ engine, container, request }) {
      return container !== undefined && (await engine.containers.settings(container.id)).autostart === request.on;
    },
  },

  /** Done when another image has the name than before, which is written down before it begins. */
  container_commit: {
    verb: "container:commit",
    async act({ engine, container, request, context }) {
      const { reference, author, message } = request;
      await context.step("before", null, async () => (await engine.images.get(reference))?.id ?? "");
      return context.step("commit", null, () =>
        engine.containers.commit(container.id, { reference, author, message }, context.signal),
      );
    },
    async isDone({ engine, request, context }) {
      const before = await context.step("before", null, async (): Promise<string | null> => null);
      const image = await engine.images.get(request.reference);
      return before !== null && image !== undefined && image.id !== before;
    },
  },

  container_remove: {
    verb: "container:remove",
    async act({ engine, container, request }) {
      refuseRunning(container, request.force);
      await engine.containers.remove(container.id, { keepVolumes: request.keepVolumes });
    },
    isDone: ({ container }) => container === undefined,
  },
};

export function refuseRunning({ state, name }: Container, force: boolean): void {
  if (state === "stopped" || force) return;
  throw new AppError("conflict", `${name} is running: stop it first, or remove it with force=true.`);
}

/** The answer to a start shall not say running of what is stopped again at once, and its ports answer. */
async function settleStarted(options: KindOptions, engine: Engine, id: string): Promise<void> {
  const { marks, inventory } = options;
  const container = await engine.containers.getById(id);
  const own = container?.mark?.station === marks.of(0).station;
  if (container && own && !(await guardMounts(engine, container, options))) {
    throw new AppError("forbidden", `${container.name} was stopped: a folder that it mounts was exchanged.`);
  }
  const view = inventory.require(engine.type);
  await view.refresh(id);
  const seen = view.byId(id);
  if (seen) await options.settlePorts(engine, seen);
}

/** The claims go first: an engine that tells of the old name's end would have them released. */
async function rename({ engine, container, request, options }: Acting<"container_rename">): Promise<string> {
  if (container.name === request.to) return container.id;
  if (await engine.containers.getByName(request.to)) {
    throw new AppError("conflict", `The name ${request.to} is taken by another ${request.type} container.`);
  }
  const [from, to] = [containerKey(request.type, request.name), containerKey(request.type, request.to)];
  await options.moveClaims(from, to);
  try {
    const id = await engine.containers.rename(container.id, request.to);
    await options.inventory.view(request.type)?.refresh(id);
    return id;
  } catch (error) {
    await options.moveClaims(to, from);
    throw error;
  }
}
