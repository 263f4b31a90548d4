import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

/** Which step of a task a station is killed in. */
export interface StepKill {
  /** The station's database. */
  path: string;
  pid: number;
  kind: string;
  /** The step's name; `claimed`: the task runs, and no step of it is planned yet. */
  step: string;
  /** Milliseconds that the step is given once it is planned. */
  delay: number;
}

const patience = 60_000;
const pause = 5;
/** Keeps the database busy for minutes. */
const endless = `SELECT count(*) FROM (
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000000000) SELECT i FROM n)`;

/**
 * Kills a station in one step of a task. Triggers in the station's own database hold up the commit that would end the
 * step, so however short the step is, it is under way when the kill comes. They are there when this function returns its
 * promise; it resolves when the signal was sent, and rejects when no such step was met.
 */
export async function killInStep({ path, pid, kind, step, delay }: StepKill): Promise<void> {
  const db = new DatabaseSync(path, { timeout: patience });
  try {
    db.exec(triggers(kind, step));
    const planned = "EXISTS (SELECT 1 FROM task_step WHERE task = task.id AND name = ? AND state = 'planned')";
    const claimed = "? = 'claimed' AND NOT EXISTS (SELECT 1 FROM task_step WHERE task = task.id)";
    const look = db.prepare(
      `SELECT 1 FROM task WHERE kind = ? AND state = 'running' AND ${step === "claimed" ? claimed : planned}`,
    );
    for (const end = Date.now() + patience; look.get(kind, step) === undefined;) {
      if (Date.now() > end) {
        const last = db.prepare("SELECT kind, state, error FROM task ORDER BY id DESC LIMIT 1").get();
        throw new Error(`no ${kind} came to its step ${step}: ${JSON.stringify(last)}`);
      }
      await sleep(pause);
    }
    await sleep(delay);
    process.kill(pid, "SIGKILL");
  } finally {
    db.close();
  }
}

/** Takes the triggers away, from the database of a station that was killed. */
export function letStepsEnd(path: string): void {
  const db = new DatabaseSync(path, { timeout: patience });
  db.exec("DROP TRIGGER hold_step; DROP TRIGGER hold_task");
  db.close();
}

/** A step ends when its row says so, and the last one with the task; `claimed` ends with the plan of the first step. */
function triggers(kind: string, step: string): string {
  const hold = (name: string, moment: string, fits: string) =>
    `CREATE TRIGGER ${name} BEFORE ${moment} WHEN ${fits} BEGIN ${endless}; END;`;
  const isKind = `(SELECT kind FROM task WHERE id = NEW.task) = '${kind}'`;
  const isLast = `EXISTS (SELECT 1 FROM task_step WHERE task = OLD.id AND name = '${step}' AND state = 'planned')`;
  const ends = `OLD.state = 'running' AND OLD.kind = '${kind}'`;
  return step === "claimed"
    ? hold("hold_step", "INSERT ON task_step", isKind) + hold("hold_task", "UPDATE OF state ON task", ends)
    : hold(
        "hold_step",
        "UPDATE OF state ON task_step",
        `OLD.name = '${step}' AND OLD.state = 'planned' AND ${isKind}`,
      ) + hold("hold_task", "UPDATE OF state ON task", `${ends} AND ${isLast}`);
}
