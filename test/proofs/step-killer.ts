import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

/** Kills a station as soon as its journal says that a step is under way; looks without a pause, in a thread of its own. */
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
const db = new DatabaseSync(path, { readOnly: true });
const running = "SELECT 1 FROM task WHERE kind = ? AND state = 'running' AND";
const planned = db.prepare(
  `${running} EXISTS (SELECT 1 FROM task_step WHERE task = task.id AND name = ? AND state = 'planned')`,
);
const claimed = db.prepare(`${running} ? = 'claimed' AND NOT EXISTS (SELECT 1 FROM task_step WHERE task = task.id)`);
const looked = step === "claimed" ? claimed : planned;

const before = Number(db.prepare("SELECT coalesce(max(id), 0) AS id FROM task").get()?.["id"]);
const over = db.prepare(`SELECT 1 FROM task WHERE kind = ? AND id > ? AND "end" IS NOT NULL`);

parentPort?.postMessage("looking");
let met = false;
// A step of a moment can be over before anybody sees it; so can the whole task.
for (const end = Date.now() + patience; !met && Date.now() < end && !over.get(kind, before);)
  met = looked.get(kind, step) !== undefined;
db.close();
if (met) {
  await sleep(delay);
  process.kill(pid, "SIGKILL");
}
parentPort?.postMessage(met ? "met" : "not met");
