import { randomUUID } from "node:crypto";
import { AppError } from "../../errors.ts";
import type { TaskQuota } from "../../storage/task-quota.ts";
import type { NewTask } from "../../storage/task-store.ts";
import type { TaskMachine } from "../../tasks/machine.ts";
import { refusal } from "../access/conflicts.ts";
import { quotaOf } from "../access/task-quota.ts";
import type { OpenvzKind, OpenvzRequests } from "./task-kinds.ts";
import type { User } from "../access/policy.ts";
import type { Caller } from "../contract/services.ts";
import type { TaskPlan } from "../tasks/planners.ts";
import { containerKey } from "../planning/resource-keys.ts";

export interface Asked<K extends OpenvzKind> {
  caller: Caller;
  user: User;
  kind: K;
  /** Of the container. */
  id: string;
  request: OpenvzRequests[K];
  plan: Pick<TaskPlan, "lane" | "name" | "locks" | "creates" | "ports">;
}

/** The task with its job; in no list of background tasks, whose categories are documented. */
export function jobTask<K extends OpenvzKind>(asked: Asked<K>): NewTask & { job: { id: string } } {
  const { caller, user, kind, id, request, plan } = asked;
  const { lane, name, locks, creates, ports } = plan;
  return {
    kind,
    lane,
    name,
    locks,
    creates,
    ports,
    idempotency: null,
    awaited: true,
    endsOnly: kind === "openvz_stop",
    now: Date.now(),
    user: user.name,
    address: caller.address,
    params: JSON.stringify(request),
    job: { id: randomUUID(), container: id, verb: kind.replace("openvz_", "") },
  };
}

/** Of what is done with a container that is there. */
export function quickPlan({ type, name }: { type: string; name: string }): Asked<OpenvzKind>["plan"] {
  return { lane: "quick", name, locks: [[containerKey(type, name), "X"]], creates: null, ports: [] };
}

interface JobKeeper {
  machine: Pick<TaskMachine, "accept">;
  /** Of each user who is no admin. */
  quota: TaskQuota;
}

/** On disk when it answers, with the job's UUID. */
export async function acceptJob({ machine, quota }: JobKeeper, user: User, task: ReturnType<typeof jobTask>) {
  const accepted = await machine.accept({ ...task, ...quotaOf(user, task.kind, quota) });
  if ("creating" in accepted) throw nameTaken();
  if ("repeated" in accepted) throw new AppError("internal", "A job has no key.");
  if (!("id" in accepted)) throw refusal(accepted, user);
  return { message: "success" as const, job_id: task.job.id };
}

export function nameTaken(): AppError {
  return new AppError("conflict", "A container with given name already exists", { details: { field: "name" } });
}
