import { randomUUID } from "node:crypto";
import { AppError } from "../../errors.ts";
import type { TaskQuota } from "../../storage/task-quota.ts";
import type { NewTask } from "../../storage/task-store.ts";
import type { TaskMachine } from "../../tasks/machine.ts";
import { refusal } from "../access/conflicts.ts";
import type { User } from "../access/policy.ts";
import { quotaOf } from "../access/task-quota.ts";
import { newTaskOf, type PlannedRequest } from "../kinds/new-task.ts";

/** A task that is a job too. */
export type JobTask = NewTask & Required<Pick<NewTask, "job">>;

/** Returns the task with its job, about the container with this UUID. */
export function jobTask(planned: PlannedRequest, container: string): JobTask {
  const verb = planned.kind.kind.replace("openvz_", "");
  return { ...newTaskOf(planned), job: { id: randomUUID(), container, verb } };
}

interface JobOptions {
  machine: Pick<TaskMachine, "accept">;
  userQuota: TaskQuota;
}

/**
 * Accepts a job; it is on disk when this resolves with its UUID. Throws `conflict` if its name or a port is taken, and
 * `too_many` if its user has as many tasks as the quota allows.
 */
export async function acceptJob({ machine, userQuota }: JobOptions, user: User, task: JobTask) {
  const accepted = await machine.accept({ ...task, ...quotaOf(user, task.kind, userQuota) });
  if ("creating" in accepted) throw nameTaken();
  if ("repeated" in accepted) throw new AppError("internal", "A job has no key.");
  if (!("id" in accepted)) throw refusal(accepted, user);
  return { message: "success" as const, job_id: task.job.id };
}

/** Returns the documented refusal of a name that is taken. */
export function nameTaken(): AppError {
  return new AppError("conflict", "A container with given name already exists", { details: { field: "name" } });
}
