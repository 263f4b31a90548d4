import type { DatabaseSync } from "node:sqlite";
import { printable } from "../../../util/printable.ts";
import type { AuditCategory, AuditEntry } from "../../audit-store.ts";
import type { EndOfTask } from "../../task-end.ts";
import type { Actor } from "../../task-store.ts";
import { createAuditWriter } from "../audit.ts";
import type { createTaskEvents } from "./events.ts";

/** What is written with each change of a task's state, in the same transaction. */
export interface TaskRecords {
  /** Writes events for clients. */
  events: ReturnType<typeof createTaskEvents>;
  /** Writes entries of the audit log. */
  audit: ReturnType<typeof createTaskAudit>;
}

interface NamedTask {
  id: number;
  kind: string;
  name: string;
}
type OwnedTask = NamedTask & { user: string; address: string };

/** Returns the category of the audit entries of a kind of task, from the kind's name. */
function categoryOf(kind: string): AuditCategory {
  if (kind.endsWith("_export")) return "export";
  if (kind.endsWith("_import")) return "import";
  return kind.startsWith("image_") ? "image" : "container";
}

/** Writes the audit entries of tasks, each in the transaction of the change, so that neither exists without the other. */
export function createTaskAudit(db: DatabaseSync, host: string) {
  const write = createAuditWriter(db, host);

  function entry(task: NamedTask, actor: Actor, now: number): Pick<AuditEntry, "ts" | "category" | "target"> & Actor {
    const category = categoryOf(task.kind);
    return { ts: now, category, target: `task ${task.id}`, user: printable(actor.user), address: actor.address };
  }

  const describe = ({ kind, name }: NamedTask) => printable(`background task (${kind}, ${name})`);

  return {
    accepted(task: OwnedTask, now: number): void {
      const message = `Start to do ${describe(task)}`;
      write({ ...entry(task, task, now), level: "INFO", action: "task add", result: "done", message });
    },
    /** Writes how a task ended, and before it what it has made or why it failed, in the name of the user who asked for it. */
    ended(task: OwnedTask, state: string, { now, made, reason }: EndOfTask): void {
      const common = entry(task, task, now);
      const done = { ...common, level: "INFO", result: "done" } as const;
      const failed = { ...common, level: "ERROR", result: "failed" } as const;
      if (state === "error") {
        const message = printable(`Background task error for ${task.kind} ${task.name}: ${reason}`);
        if (reason !== undefined) write({ ...failed, action: "task error", message });
        write({ ...failed, action: "task end", message: `Failed to do ${describe(task)}` });
      } else {
        if (made !== undefined) write({ ...done, action: "task result", message: printable(made) });
        const word = state === "cancelled" ? "Cancelled" : "Finished";
        write({ ...done, action: "task end", message: `${word} ${describe(task)}` });
      }
    },
    cancelled(task: OwnedTask, by: Actor | undefined, now: number): void {
      const message = `Cancel ${describe(task)}`;
      write({ ...entry(task, by ?? task, now), level: "INFO", action: "task cancel", result: "done", message });
    },
    cleared(tasks: readonly NamedTask[], by: Actor | undefined, now: number): void {
      const actor = by ?? { user: "", address: "" };
      for (const task of tasks) {
        const message = `Clear ${describe(task)}`;
        write({ ...entry(task, actor, now), level: "INFO", action: "task clear", result: "done", message });
      }
    },
  };
}
