import type { DatabaseSync } from "node:sqlite";
import type { ActiveTask, Lock, TaskRow } from "../../task-store.ts";
import { taskColumn, taskColumns } from "./columns.ts";

/** SQL of "is not final, or its undo has failed". It must be word for word as in the index `task_active`. */
const active = `("end" IS NULL OR debt = 1)`;

/** The verbs that read or change single tasks and port claims. Those that read many rows are in `pages.ts`. */
export function createQueryVerbs(db: DatabaseSync, host: string) {
  const saveProgress = db.prepare("UPDATE task SET detail = ?, progress = ? WHERE id = ? AND state = 'running'");
  const get = db.prepare(`SELECT ${taskColumns} FROM task WHERE id = ? AND hidden = 0 AND state <> 'cancelled'`);
  const row = db.prepare(`SELECT ${taskColumns} FROM task WHERE id = ?`);
  // Requests of waiting tasks are left out: all requests of a long queue would not fit into one answer.
  const params = "CASE WHEN state IN ('running', 'undoing') THEN params ELSE '' END AS params";
  const light = Object.values({ ...taskColumn, params }).join(", ");
  const activeTasks = db.prepare(`SELECT ${light}, debt FROM task WHERE host = ? AND ${active} ORDER BY id`);
  const locks = db.prepare("SELECT key, mode FROM task_lock WHERE task = ?");
  const attempt = db.prepare("UPDATE task SET attempts = attempts + 1 WHERE id = ? RETURNING attempts");
  const forgive = db.prepare(`UPDATE task SET attempts = 0 WHERE host = ? AND ${active} AND attempts > 0`);
  const nameOf = db.prepare("SELECT name FROM task WHERE id = ?");
  const ownerOf = db.prepare(
    `SELECT user FROM task WHERE id = :id AND host = :host AND makes = 1
     UNION ALL SELECT user FROM task_owner WHERE host = :host AND task = :id`,
  );
  const undone = db.prepare(
    "SELECT id FROM task WHERE id = ? AND debt = 0 AND (state = 'cancelled' OR (state = 'error' AND outcome IS NOT NULL))",
  );
  const ofFinal = `NOT EXISTS (SELECT 1 FROM task WHERE task.id = port_claim.task AND ${active})`;
  const claims = db.prepare(`SELECT protocol, port, owner FROM port_claim WHERE host = ? AND ${ofFinal}`);
  const moveClaims = db.prepare("UPDATE port_claim SET owner = ? WHERE host = ? AND owner = ?");
  const claimant = db.prepare("SELECT owner FROM port_claim WHERE host = ? AND protocol = ? AND port = ?");
  const releaseClaims = db.prepare(`DELETE FROM port_claim WHERE host = ? AND owner = ? AND ${ofFinal}`);

  return {
    saveProgress(saved: { id: number; detail: string; progress: number }): void {
      saveProgress.run(saved.detail, saved.progress, saved.id);
    },
    get(id: number) {
      return get.get(id) as unknown as TaskRow | undefined;
    },
    row(id: number) {
      return row.get(id) as unknown as TaskRow | undefined;
    },
    active(): ActiveTask[] {
      return activeTasks.all(host).map((row) => {
        const { debt, ...task } = row as unknown as TaskRow & { debt: number };
        const held = locks.all(task.id) as { key: string; mode: "S" | "X" }[];
        return { task, undoFailed: debt === 1, locks: held.map(({ key, mode }): Lock => [key, mode]) };
      });
    },
    countAttempt(id: number): number {
      return (attempt.get(id) as { attempts: number }).attempts;
    },
    forgiveAttempts(): void {
      forgive.run(host);
    },
    nameOf(id: number): string | undefined {
      return nameOf.get(id)?.["name"] as string | undefined;
    },
    ownerOf(id: number): string | undefined {
      return ownerOf.get({ host, id })?.["user"] as string | undefined;
    },
    undone(ids: readonly number[]): number[] {
      return ids.filter((id) => undone.get(id) !== undefined);
    },
    claims() {
      return claims.all(host) as { protocol: string; port: number; owner: string }[];
    },
    claimant({ protocol, port }: { protocol: string; port: number }): string | undefined {
      return claimant.get(host, protocol, port)?.["owner"] as string | undefined;
    },
    releaseClaims(owner: string): void {
      releaseClaims.run(host, owner);
    },
    moveClaims({ from, to }: { from: string; to: string }): void {
      moveClaims.run(to, host, from);
    },
  };
}
