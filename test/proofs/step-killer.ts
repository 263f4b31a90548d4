import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

/** Kills a station as soon as its journal says that a step is under way; looks after each of its commits, in a thread of its own. */
export interface StepKill {
  /** The station's database. */
  path: string;
  pid: number;
  kind: string;
  /** The step that is planned; `claimed`: none is yet. */
  step: string;
  /** Milliseconds that it is given. */
  delay: number;
}

const { path, pid, kind, step, delay } = workerData as StepKill;
const patience = 20_000;
const db = new DatabaseSync(path, { timeout: 0 });
const running = "SELECT 1 FROM task WHERE kind = ? AND state = 'running' AND";
const planned = db.prepare(
  `${running} EXISTS (SELECT 1 FROM task_step WHERE task = task.id AND name = ? AND state = 'planned')`,
);
const claimed = db.prepare(`${running} ? = 'claimed' AND NOT EXISTS (SELECT 1 FROM task_step WHERE task = task.id)`);
const looked = step === "claimed" ? claimed : planned;
const before = Number(db.prepare("SELECT coalesce(max(id), 0) AS id FROM task").get()?.["id"]);
const over = db.prepare(`SELECT 1 FROM task WHERE kind = ? AND id > ? AND "end" IS NOT NULL`);
const version = db.prepare("PRAGMA data_version");

/** False: the station has it, and will commit once more. */
function takeWriteLock(): boolean {
  try {
    db.exec("BEGIN IMMEDIATE");
    return true;
  } catch {
    return false;
  }
}

/**
 * A step may be a commit of a part of a millisecond. So after each commit the station's next one is held up until it was
 * looked what the last one said; what is so then, is so when it is killed.
 */
async function killInStep(): Promise<boolean> {
  let last: unknown;
  for (const end = Date.now() + patience; Date.now() < end;) {
    const now = version.get()?.["data_version"];
    if (now === last || !takeWriteLock()) continue;
    last = now;
    const met = looked.get(kind, step) !== undefined;
    if (met && delay === 0) process.kill(pid, "SIGKILL");
    const missed = !met && over.get(kind, before) !== undefined;
    db.exec("ROLLBACK");
    if (missed) return false;
    if (!met) continue;
    if (delay === 0) return true;
    await sleep(delay);
    process.kill(pid, "SIGKILL");
    return true;
  }
  return false;
}

parentPort?.postMessage("looking");
const met = await killInStep();
db.close();
parentPort?.postMessage(met ? "met" : "not met");
