import type { NewTask } from "../../storage/task-store.ts";
import type { User } from "../access/policy.ts";
import type { KindFacts } from "./task-kind.ts";
import type { TaskPlan } from "./task-plan.ts";

/** A planned request that shall become a task. */
export interface PlannedRequest {
  /** The kind of the task. */
  kind: KindFacts;
  /** The request as JSON. */
  params: string;
  /** What the task will need. */
  plan: TaskPlan;
  /** The user who asks for it. */
  user: User;
  /** Address of the peer, for the audit log. */
  address: string;
  /** The request's Idempotency-Key, and a hash of its body; null: it has none. */
  idempotency?: NewTask["idempotency"];
}

/** Returns the task as the store accepts it. */
export function newTaskOf({ kind, params, plan, user, address, idempotency = null }: PlannedRequest): NewTask {
  const { name, locks, creates, ports } = plan;
  return {
    kind: kind.kind,
    lane: kind.lane,
    name,
    user: user.name,
    address,
    params,
    locks,
    creates,
    ports,
    idempotency,
    awaited: kind.category === null,
    endsOnly: kind.endsOnly === true,
    now: Date.now(),
  };
}
