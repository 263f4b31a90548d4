import type { TaskQuota } from "../../storage/task-quota.ts";
import type { NewTask } from "../../storage/task-store.ts";
import type { User } from "./policy.ts";

/** Kinds of tasks that give something back to the host. */
const endings = new Set(["container_stop", "container_remove", "openvz_stop", "openvz_remove"]);

/**
 * Returns the part of a new task that holds its user to the quota. What gives something back has twice the quota, so that it
 * gets in when other tasks have used the quota up. An admin has none.
 */
export function quotaOf(user: User, kind: string, quota: TaskQuota): Pick<NewTask, "quota"> {
  if (user.role === "admin") return {};
  if (!endings.has(kind)) return { quota };
  return { quota: { tasks: quota.tasks * 2, bytes: quota.bytes * 2 } };
}
