import type { DatabaseSync } from "node:sqlite";
import { printable } from "../../util/printable.ts";
import type { AuditCategory, AuditEntry } from "../audit-store.ts";
import type { Actor } from "../task-store.ts";
import { auditWriter } from "./audit.ts";
import type { taskEvents } from "./task-events.ts";

/** What is written beside each change of a task's state. */
export interface Trails {
  events: ReturnType<typeof taskEvents>;
  audit: ReturnType<typeof taskAudit>;
}

interface Named {
  id: number;
  kind: string;
  name: string;
}
type Owned = Named & { user: string; address: string };

const categories: Readonly<Record<string, AuditCategory>> = {
  image_download: "image",
  image_pull: "image",
  image_remove: "image",
  image_push: "image",
  image_export: "export",
  container_export: "export",
  container_import: "import",
};

/** Writes the audit entries of tasks, each in the transaction of what it tells: there is never one without the other. */
export function taskAudit(db: DatabaseSync, host: string) {
  const write = auditWriter(db, host);

  function entry(task: Named, actor: Actor, now: number): Pick<AuditEntry, "ts" | "category" | "target"> & Actor {
    const category = categories[task.kind] ?? "container";
    return { ts: now, category, target: `task ${task.id}`, user: printable(actor.user), address: actor.address };
  }

  const named = ({ kind, name }: Named) => printable(`background task (${kind}, ${name})`);

  return {
    accepted(task: Owned, now: number): void {
      const message = `Start to do ${named(task)}`;
      write({ ...entry(task, task, now), level: "INFO", action: "task add", result: "done", message });
    },
    /** How it ended, whoever asked for that. */
    ended(task: Owned, state: string, now: number): void {
      const common = { ...entry(task, task, now), action: "task end" };
      if (state === "error")
        write({ ...common, level: "ERROR", result: "failed", message: `Failed to do ${named(task)}` });
      else {
        const word = state === "cancelled" ? "Cancelled" : "Finished";
        write({ ...common, level: "INFO", result: "done", message: `${word} ${named(task)}` });
      }
    },
    cancelled(task: Owned, by: Actor | undefined, now: number): void {
      const message = `Cancel ${named(task)}`;
      write({ ...entry(task, by ?? task, now), level: "INFO", action: "task cancel", result: "done", message });
    },
    cleared(tasks: readonly Named[], by: Actor | undefined, now: number): void {
      const actor = by ?? { user: "", address: "" };
      for (const task of tasks) {
        const message = `Clear ${named(task)}`;
        write({ ...entry(task, actor, now), level: "INFO", action: "task clear", result: "done", message });
      }
    },
  };
}
