import { AppError } from "../errors.ts";
import type { Lane, TaskRow, TaskStore } from "../storage/task-store.ts";
import type { Log } from "../util/log.ts";
import { sleep } from "../util/sleep.ts";
import type { TaskEnd } from "./end-waiters.ts";
import type { WaitOutsideLane } from "./handler.ts";
import { createLanes } from "./lanes.ts";
import type { ProgressReporter } from "./progress.ts";
import type { Runner } from "./runner.ts";
import { cancelled, ending, type Outcome, type RunningTask } from "./running-task.ts";

export interface RunningTasksOptions {
  /** The store of tasks. */
  tasks: TaskStore;
  /** Leads each task to its end. */
  runner: Runner;
  /** Takes the tasks' progress. */
  reporter: ProgressReporter;
  /** Aborts when the station ends. */
  end: AbortSignal;
  /** Is told if the store fails. */
  log: Log;
  /** How many tasks of each lane run at the same time. */
  lanes: Readonly<Record<Lane, number>>;
  /** Is called when a task begins or ends to wait outside its lane. `away`: it waits for an engine that is away. */
  onWait: (task: number, lane: Lane, change: { waits: boolean; away: boolean }) => void;
  /** Is called when a task has ended in this process and its lane has room again. */
  onDone: (task: number, outcome: Outcome, end: TaskEnd) => void;
}

/** A task found running more often than this, without finishing a step in between, is undone. */
const maxAttempts = 3;
/** Milliseconds after which a task is taken up again whose store failed. */
const storeRetryDelay = 5_000;
/** The end of a task that somebody withdrew before it was claimed. */
const unclaimed: TaskEnd = "withdrawn";

/** The tasks that this process runs or undoes, each from its claim to its end. */
export function createRunningTasks(options: RunningTasksOptions) {
  const { tasks, runner, reporter, end, log, onWait, onDone } = options;
  const running = new Map<number, RunningTask & { over: Promise<void> }>();
  const lanes = createLanes(options.lanes);

  function waitOutside(id: number, lane: Lane, { report }: Pick<RunningTask, "report">): WaitOutsideLane {
    return async ({ detail, away, signal }, wait) => {
      report(-1, detail);
      lanes.leave(lane);
      onWait(id, lane, { waits: true, away });
      try {
        await wait();
      } finally {
        onWait(id, lane, { waits: false, away });
        await lanes.enterAgain(lane, signal);
      }
    };
  }

  function add(id: number, lane: Lane, resumed: boolean, work: (task: RunningTask) => Promise<Outcome>): void {
    lanes.enter(lane);
    const start = { controller: new AbortController(), pivoted: false, undoing: false, resumed, end: unclaimed };
    const progress = reporter(id);
    const task: RunningTask = { ...start, ...progress, waitOutsideLane: waitOutside(id, lane, progress) };
    const over = work(task)
      .catch((error: unknown): Outcome => {
        log.error("a task could not be written to its end", { task: id, error });
        return "left";
      })
      .then((outcome) => {
        lanes.leave(lane);
        running.delete(id);
        if (outcome === "left") void retryLater(id, lane);
        onDone(id, outcome, task.end);
      });
    running.set(id, Object.assign(task, { over }));
  }

  function start(id: number, lane: Lane, resumed = false): void {
    add(id, lane, resumed, async (task) => {
      const row = await tasks.claim({ id, now: Date.now() });
      return row ? runner.run(row, task, []) : "over";
    });
  }

  function resume(row: TaskRow, afterCrash: boolean): void {
    add(row.id, row.lane, true, (task) => resumeTask({ tasks, runner }, row, task, afterCrash));
  }

  /** Takes up a task whose store failed, for example because the disk was full to its last block. */
  async function retryLater(id: number, lane: Lane): Promise<void> {
    await sleep(storeRetryDelay, end);
    if (end.aborted) return;
    const row = await tasks.row(id).catch(() => "store failed" as const);
    if (row === "store failed") return retryLater(id, lane);
    if (row?.state === "waiting") return start(id, lane, true);
    if (row?.state === "running" || row?.state === "undoing") return resume(row, false);
    onDone(id, "over", unclaimed);
  }

  return {
    /** Claims a waiting task and runs it. `resumed`: an earlier process accepted it. */
    start,
    /** Takes up a running or undoing task, after a crash of the station or a failure of its store. */
    resume,
    /** Returns a task that this process runs or undoes. */
    get: (id: number): (RunningTask & { over: Promise<void> }) | undefined => running.get(id),
    /** Returns the ids of the tasks that this process runs or undoes. */
    ids: () => [...running.keys()],
    /** Tells whether a new task of this lane may start. */
    hasRoom: lanes.hasRoom,
    /** Aborts all tasks because the station ends. Resolves when all have stopped. */
    async stopAll(): Promise<void> {
      for (const task of running.values()) task.controller.abort(ending);
      await Promise.all([...running.values()].map((task) => task.over));
    },
  };
}

async function resumeTask(
  { tasks, runner }: Pick<RunningTasksOptions, "tasks" | "runner">,
  row: TaskRow,
  task: RunningTask,
  afterCrash: boolean,
): Promise<Outcome> {
  if (row.state === "undoing") {
    if (row.outcome === "cancelled") task.controller.abort(cancelled);
    return runner.undo(row, task);
  }
  const attempts = afterCrash ? await tasks.countAttempt(row.id) : 0;
  task.pivoted = row.pivot === 1;
  if (attempts > maxAttempts && !task.pivoted) {
    const message = `The station went down ${attempts} times while it ran; it was undone.`;
    return runner.fail(row, task, new AppError("engine_failed", message));
  }
  return runner.run(row, task, await tasks.steps(row.id));
}
