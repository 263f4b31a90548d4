import type { Verb } from "../../api/verbs.ts";
import type { Container, Engine, EngineType } from "../../engines/engine.ts";
import { AppError } from "../../errors.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { Handler, TaskContext } from "../../tasks/handler.ts";
import type { KindOptions } from "./options.ts";

/** A container as it was when it was asked for; another one that has got its name meanwhile is not meant. */
export interface Target {
  type: EngineType;
  id: string;
  name: string;
  incarnation: string;
}

/** Kinds of tasks that somebody waits for, with what each is asked. They are in no list of background tasks. */
export interface AwaitedRequests {
  container_start: Target;
  container_stop: Target & { grace?: number };
  container_restart: Target & { grace?: number };
  container_pause: Target;
  container_unpause: Target;
  container_rename: Target & { to: string };
  container_autostart: Target & { on: boolean };
  container_commit: Target & { reference: string; author: string; message: string };
  container_remove: Target & { keepVolumes: boolean; force: boolean };
}
export type AwaitedKind = keyof AwaitedRequests;

export interface Acting<K extends AwaitedKind> {
  engine: Engine;
  container: Container;
  request: AwaitedRequests[K];
  context: TaskContext;
  options: KindOptions;
}

export interface Looking<K extends AwaitedKind> {
  engine: Engine;
  /** The one that was meant; undefined: it is gone. */
  container: Container | undefined;
  request: AwaitedRequests[K];
  context: TaskContext;
}

/** A verb: what is done, and how one sees that it was. */
export interface Rule<K extends AwaitedKind> {
  verb: Verb;
  /** What it answers is the caller's. */
  act(at: Acting<K>): Promise<unknown>;
  isDone(at: Looking<K>): boolean | Promise<boolean>;
}

export function awaitedHandler<K extends AwaitedKind>(options: KindOptions, rule: Rule<K>): Handler {
  return {
    async run(context) {
      const request = context.params as AwaitedRequests[K];
      const { type, id: asked } = request;
      const view = options.inventory.require(type);
      const { engine } = view;
      const container = await findTarget(engine, request);
      const containers = container ? [{ type, asked, container }] : [];
      await options.authorize(context.user, rule.verb, { request: {}, containers });
      if (!container) throw gone(request);
      await context.pivot();
      const output = await rule.act({ engine, container, request, context, options });
      await refresh(view, request.id);
      return { result: 0, error: null, output };
    },

    async settle(context) {
      const request = context.params as AwaitedRequests[K];
      const { engine } = options.inventory.require(request.type);
      const container = await findTarget(engine, request);
      if (await rule.isDone({ engine, container, request, context })) return undefined;
      throw new AppError("engine_failed", "The station was restarted before this was done, and did not do it later.");
    },
  };
}

export async function findTarget(engine: Engine, { id, name, incarnation }: Target): Promise<Container | undefined> {
  const found = await engine.containers.getById(id);
  return found?.incarnation === incarnation && found.name === name ? found : undefined;
}

export function gone({ type, name, id }: Target): AppError {
  const sentence = `The ${type} container ${name} was removed, renamed or replaced meanwhile.`;
  return new AppError("not_found", sentence, { details: { type, id } });
}

/** So that whoever has the answer finds the list like it. What was done stays done when the engine goes away now. */
export async function refresh(view: EngineView, id: string): Promise<void> {
  await view.refresh(id).catch(() => undefined);
}
