import type { TaskCategory } from "../../api/task.ts";
import type { Verb } from "../../api/verbs.ts";
import type { Lane } from "../../storage/task-store.ts";
import type { Handler, TaskContext, TaskResult } from "../../tasks/handler.ts";
import type { KindDependencies } from "./dependencies.ts";
import type { StoredRequest } from "./stored-request.ts";
import type { PlanDependencies, TaskPlan } from "./task-plan.ts";
import type { UndoOperation } from "./undo.ts";

/** What a kind of task says of itself, whatever its request is. */
export interface KindFacts<Name extends string = string> {
  /** Name of the kind in the store and in the table of kinds. It never changes. */
  kind: Name;
  /** The documented category in which its tasks are listed; null: they are in no list. */
  category: TaskCategory | null;
  /** What the user who asks for it must be allowed, when it is accepted and again when it runs. */
  verb: Verb;
  /** The lane in which its tasks run. */
  lane: Lane;
  /** True: it only ends something and needs no step, so it is accepted even on a full disk. */
  endsOnly?: true;
  /** How its steps are undone. An operation that any version has written to a journal stays here. */
  undo?: readonly UndoOperation[];
}

/** One run of a task: of `run` or of `settle`. */
export interface TaskRun<Request> {
  /** The request, as it was accepted. */
  request: Request;
  /** The task: its steps, its pivot, its progress. */
  context: TaskContext;
  /** What kinds of tasks work with. */
  dependencies: KindDependencies;
}

/** What runs tasks of a kind. */
export interface KindWork<Request> {
  /** Does the work; as `run` of a `Handler`. */
  run(task: TaskRun<Request>): Promise<TaskResult | undefined>;
  /** Finds out after a restart whether the work was done; as `settle` of a `Handler`. */
  settle?(task: TaskRun<Request>): Promise<TaskResult | undefined>;
}

/** A definition of a kind of task, from which `defineTaskKind` makes it. */
export interface KindDefinition<Name extends string, Request> extends KindFacts<Name>, KindWork<Request> {
  /** Reads its requests as they are stored. */
  request: StoredRequest<Request>;
  /**
   * Checks all of a request that its schema cannot, and says what the task will need. Throws `invalid` naming the field;
   * changes nothing.
   */
  plan(request: Request, dependencies: PlanDependencies): Promise<TaskPlan>;
}

/** A kind of task, whatever its request is. */
export interface AnyTaskKind<Name extends string = string> extends KindFacts<Name> {
  /** Returns what runs one task, from its stored request, which is parsed here only. Throws as `StoredRequest.parse`. */
  handlerOf(stored: unknown, dependencies: KindDependencies): Handler;
}

/** A kind of task with its request. */
export type TaskKind<Name extends string, Request> = AnyTaskKind<Name> & KindDefinition<Name, Request>;

/** Makes a kind of task from its definition. */
export function defineTaskKind<const Name extends string, Request>(
  definition: KindDefinition<Name, Request>,
): TaskKind<Name, Request> {
  const { request: schema, run, settle } = definition;
  return {
    ...definition,
    handlerOf(stored, dependencies) {
      const request = schema.parse(stored);
      return {
        run: (context) => run({ request, context, dependencies }),
        ...(settle && { settle: (context: TaskContext) => settle({ request, context, dependencies }) }),
      };
    },
  };
}
