import type { KindDefinition } from "./task-kind.ts";
import type { PlanDependencies, TaskPlan } from "./task-plan.ts";

/**
 * Checks all of a request that its schema cannot, and says what its task will need. Throws `invalid` naming the field;
 * changes nothing.
 */
export type Planner = <Request>(
  kind: Pick<KindDefinition<string, Request>, "plan">,
  request: Request,
) => Promise<TaskPlan>;

/** Makes the planner, which plans requests of every kind of task. */
export function createPlanner(dependencies: PlanDependencies): Planner {
  return (kind, request) => kind.plan(request, dependencies);
}
