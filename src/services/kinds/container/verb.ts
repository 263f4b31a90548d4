import type { Verb } from "../../../api/verbs.ts";
import type { Container, Engine } from "../../../engines/engine.ts";
import { AppError } from "../../../errors.ts";
import type { TaskContext } from "../../../tasks/handler.ts";
import type { ResourceKey } from "../../../tasks/resource-key.ts";
import { containerKey } from "../../planning/resource-keys.ts";
import type { KindDependencies } from "../dependencies.ts";
import type { StoredRequest } from "../stored-request.ts";
import { defineTaskKind, type TaskKind, type TaskRun } from "../task-kind.ts";
import { exclusiveLocks, type TaskPlan } from "../task-plan.ts";
import { findTarget, refreshView, type Target, targetGone } from "./target.ts";

/** What `act` gets. */
export interface Acting<Request extends Target> {
  /** The engine that has the container. */
  engine: Engine;
  /** The container, as it is now. */
  container: Container;
  /** The request, as it was accepted. */
  request: Request;
  /** The task. */
  context: TaskContext;
  /** What kinds of tasks work with. */
  dependencies: KindDependencies;
}

/** What `isDone` gets. */
export interface Looking<Request extends Target> {
  /** The engine that has, or had, the container. */
  engine: Engine;
  /** The container that was meant; undefined if it is gone. */
  container: Container | undefined;
  /** The request, as it was accepted. */
  request: Request;
  /** The task: what `isDone` must know of the time before is a step. */
  context: TaskContext;
}

/** What is done with one container, while a client waits for the end. */
export interface ContainerVerb<Name extends string, Request extends Target> {
  /** Name of the kind of task. */
  kind: Name;
  /** What the user must be allowed. */
  verb: Verb;
  /** True: it is accepted even on a full disk. */
  endsOnly?: true;
  /** Reads its requests as they are stored. */
  request: StoredRequest<Request>;
  /** Returns the keys that it locks beside the container's. */
  locks?(request: Request): readonly ResourceKey[];
  /** Returns the key of the container that there will be; null: none. */
  creates?(request: Request): ResourceKey | null;
  /** Does it. What it returns is the client's. */
  act(at: Acting<Request>): Promise<unknown>;
  /** Tells whether it was done. It only looks. */
  isDone(at: Looking<Request>): boolean | Promise<boolean>;
}

/**
 * Makes a kind of task from a verb of a container. Its tasks are in no list and are never done when nobody waits any more.
 */
export function defineContainerVerb<const Name extends string, Request extends Target>(
  definition: ContainerVerb<Name, Request>,
): TaskKind<Name, Request> {
  const { kind, verb, endsOnly, request, locks, creates } = definition;
  return defineTaskKind({
    kind,
    category: null,
    verb,
    lane: "quick",
    ...(endsOnly && { endsOnly }),
    request,
    async plan(asked) {
      return planTarget(asked, locks?.(asked), creates?.(asked));
    },
    run: (task) => runVerb(definition, task),
    async settle({ request: asked, context, dependencies }) {
      const { engine } = dependencies.inventory.require(asked.type);
      const container = await findTarget(engine, asked);
      if (await definition.isDone({ engine, container, request: asked, context })) return undefined;
      const sentence = "The station was restarted before this was done, and did not do it later.";
      throw new AppError("engine_failed", sentence);
    },
  });
}

/** Returns the plan of what is done with a container that is there. */
export function planTarget(
  { type, name }: Target,
  others: readonly ResourceKey[] = [],
  creates: ResourceKey | null = null,
): TaskPlan {
  const locks = exclusiveLocks([...new Set([containerKey(type, name), ...others])]);
  return { engines: [type], name, locks, creates, ports: [] };
}

async function runVerb<Request extends Target>(
  { verb, act }: Pick<ContainerVerb<string, Request>, "verb" | "act">,
  { request, context, dependencies }: TaskRun<Request>,
) {
  const { type, id: asked } = request;
  const view = dependencies.inventory.require(type);
  const { engine } = view;
  const container = await findTarget(engine, request);
  const containers = container ? [{ type, asked, container }] : [];
  await dependencies.authorize(context.user, verb, { request: {}, containers });
  if (!container) throw targetGone(request);
  await context.pivot();
  const output = await act({ engine, container, request, context, dependencies });
  await refreshView(view, request.id);
  return { result: 0, error: null, output };
}
