import { AppError } from "../../errors.ts";
import type { TaskQuota } from "../../storage/task-quota.ts";
import type { Accepted, TaskRow } from "../../storage/task-store.ts";
import { parseResourceKey } from "../../tasks/resource-key.ts";
import type { User } from "./policy.ts";

/**
 * Tells whether a refusal may say who has a name or a port. Admins may know all; other users only what is their own, but
 * not the containers and tasks of other users, and not the programs of the host.
 */
export function mayKnow(user: User, owner: string | undefined): boolean {
  return user.role === "admin" || owner === user.name;
}

/**
 * Returns the refusal of a name. `holder` says who has it, as "A docker container named web exists already."; undefined:
 * that is not said.
 */
export function nameTaken(name: string, holder: string | undefined, details: Record<string, unknown> = {}): AppError {
  return new AppError("conflict", holder ?? `The name ${name} is taken.`, { details: { field: "name", ...details } });
}

/** Returns the refusal of a port. `holder` says who has it, as "docker container web"; undefined: that is not said. */
export function portTaken(port: string, holder: string | undefined, field: string): AppError {
  const by = holder === undefined ? "" : ` by ${holder}`;
  return new AppError("conflict", `Port ${port} is taken${by}.`, { details: { field } });
}

/** Returns the refusal of a task because another one, `holder`, is at work on the container of this name. */
export function busyWith(user: User, name: string, holder: { id: number; row: TaskRow | undefined }): AppError {
  const { id, row } = holder;
  const again = "try again when it has ended.";
  if (!mayKnow(user, row?.user))
    return new AppError("conflict", `Another task is at work on ${name}; ${again}`, { details: {} });
  const who = row ? `Task ${id} (${row.kind}) of ${row.user}` : `Task ${id}`;
  return new AppError("conflict", `${who} is at work on ${name}; ${again}`, { details: { task: id } });
}

/** Returns why the store did not accept a user's task. */
export function refusal(accepted: Exclude<Accepted, { id: number } | { repeated: TaskRow }>, user: User): AppError {
  if ("reused" in accepted) {
    return new AppError("key_reused", `This Idempotency-Key was used for task ${accepted.reused} with another body.`);
  }
  if ("over" in accepted) return overQuota(accepted, user);
  if ("creating" in accepted) {
    const { id, name, user: creator } = accepted.creating;
    if (!mayKnow(user, creator)) return nameTaken(name, undefined);
    return nameTaken(name, `Task ${id} of ${creator} is making a container named ${name} already.`, { task: id });
  }
  const { protocol, port, owner } = accepted.claimed;
  // Whose a container is that a task is to make is not known yet.
  const claimant = user.role === "admin" ? parseResourceKey(owner) : undefined;
  const holder = claimant && `${claimant.scope} container ${claimant.name}`;
  return portTaken(`${port}/${protocol}`, holder, "network.port");
}

function overQuota({ over, limit }: { over: keyof TaskQuota; limit: number }, { name }: User): AppError {
  if (over === "tasks")
    return new AppError(
      "too_many",
      `${name} has ${limit} tasks that wait or run already: wait for some, or cancel them.`,
    );
  const size = `${Math.floor(limit / (1 << 20))} MiB`;
  return new AppError(
    "too_many",
    `The tasks of ${name} would keep more than ${size}: clear those that are over. Of a cleared or cancelled one a few KiB stay for a day.`,
  );
}
