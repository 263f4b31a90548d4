import { AppError } from "../errors.ts";
import type { Lane, TaskRow, TaskStore } from "../storage/task-store.ts";
import { sleep } from "../util/sleep.ts";
import type { TaskEnd } from "./ends.ts";
import type { Rest } from "./handler.ts";
import { createLanes } from "./lanes.ts";
import type { Progress } from "./progress.ts";
import { cancelled, ending, type createRunner, type Outcome, type Running } from "./runner.ts";
import type { Log } from "../util/log.ts";

export interface CarrierOptions {
  tasks: TaskStore;
  runner: ReturnType<typeof createRunner>;
  reporter: (task: number) => { now: Progress; report: (percent: number, detail: string) => void };
  /** Aborts when the station ends. */
  end: AbortSignal;
  log: Log;
  /** How many tasks of a lane run at once. */
  lanes: Readonly<Record<Lane, number>>;
  /** A task begins or ends to rest: the lane may have room. `away`: it waits for its engine. */
  onRest: (task: number, lane: Lane, change: { rests: boolean; away: boolean }) => void;
  /** The lane has room again; `over` = the task needs its keys no more. */
  onDone: (task: number, outcome: "over" | "debt" | "left", end: TaskEnd) => void;
}

/** A task found running more often than this, without finishing a step in between, is undone. */
const maxAttempts = 3;
const takeUpAfter = 5_000;
/** Somebody was quicker, and withdrew it. */
const unclaimed: TaskEnd = "withdrawn";

/** The tasks that this process carries out or undoes at the moment, each from its claim to its end. */
export function createCarrier(options: CarrierOptions) {
  const { tasks, runner, reporter, end, log, onRest, onDone } = options;
  const running = new Map<number, Running & { over: Promise<void> }>();
  const places = createLanes(options.lanes);

  /** While a task rests, its place in the lane is another task's. */
  function restIn(id: number, lane: Lane, now: Pick<Running, "report">): Rest {
    return async ({ detail, away, signal }, wait) => {
      now.report(-1, detail);
      places.leave(lane);
      onRest(id, lane, { rests: true, away });
      try {
        await wait();
      } finally {
        onRest(id, lane, { rests: false, away });
        await places.takeAgain(lane, signal);
      }
    };
  }

  function carryOut(id: number, lane: Lane, late: boolean, work: (now: Running) => Promise<Outcome>): void {
    places.take(lane);
    const start = { controller: new AbortController(), pivoted: false, undoing: false, late, end: unclaimed };
    const reported = reporter(id);
    const now: Running = { ...start, ...reported, rest: restIn(id, lane, reported) };
    const over = work(now)
      .catch((error: unknown): Outcome => {
        log("a task could not be written to its end", { task: id, error });
        return "left";
      })
      .then((outcome) => {
        places.leave(lane);
        running.delete(id);
        if (outcome === "left") void takeUpAgain(id, lane);
        onDone(id, outcome, now.end);
      });
    running.set(id, Object.assign(now, { over }));
  }

  function begin(id: number, lane: Lane, late = false): void {
    carryOut(id, lane, late, async (now) => {
      const row = await tasks.claim({ id, now: Date.now() });
      return row ? runner.run(row, now, []) : "over";
    });
  }

  function resume(task: TaskRow, afterCrash: boolean): void {
    carryOut(task.id, task.lane, true, async (now) => {
      if (task.state === "undoing") {
        if (task.outcome === "cancelled") now.controller.abort(cancelled);
        return runner.undo(task, now);
      }
      const attempts = afterCrash ? await tasks.countAttempt(task.id) : 0;
      now.pivoted = task.pivot === 1;
      if (attempts > maxAttempts && !now.pivoted) {
        const often = `The station went down ${attempts} times while it ran; it was undone.`;
        return runner.fail(task, now, new AppError("engine_failed", often));
      }
      return runner.run(task, now, await tasks.steps(task.id));
    });
  }

  /** The store failed under it, as on a disk that is full to its last block: later it may not. */
  async function takeUpAgain(id: number, lane: Lane): Promise<void> {
    await sleep(takeUpAfter, end);
    if (end.aborted) return;
    const found = await tasks.row(id).then(
      (row) => ({ row }),
      () => undefined,
    );
    if (!found) return takeUpAgain(id, lane);
    if (found.row?.state === "waiting") return begin(id, lane, true);
    if (found.row?.state === "running" || found.row?.state === "undoing") return resume(found.row, false);
    onDone(id, "over", unclaimed);
  }

  return {
    /** Claims a waiting task and carries it out. `late`: an earlier process accepted it. */
    begin,
    /** Takes up a running or undoing one, after a crash of the station or of its store. */
    resume,
    get: (id: number) => running.get(id),
    hasRoom: places.hasRoom,
    /** Of the tasks that this process carries out now. */
    ids: () => [...running.keys()],
    /** What can stop stops; resolves when all have. */
    async endAll(): Promise<void> {
      for (const task of running.values()) task.controller.abort(ending);
      await Promise.all([...running.values()].map((task) => task.over));
    },
  };
}
