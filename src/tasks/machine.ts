import { AppError } from "../errors.ts";
import type { Actor, Lane, TaskStore } from "../storage/task-store.ts";
import type { Log } from "../util/log.ts";
import { createAcceptance } from "./acceptance.ts";
import { createEndWaiters, type TaskEnd } from "./end-waiters.ts";
import type { Kinds } from "./handler.ts";
import { createProgressReporter, type Progress, type ProgressListener } from "./progress.ts";
import { createRunner } from "./runner.ts";
import { cancelled, ending, type Outcome, type RunningTask } from "./running-task.ts";
import { createRunningTasks } from "./running-tasks.ts";
import { createScheduler } from "./scheduler.ts";
import { createUndoRetry } from "./undo-retry.ts";

export interface MachineOptions {
  /** The store of tasks. */
  tasks: TaskStore;
  /** The kinds of tasks: how each is run and undone. */
  kinds: Kinds;
  /** How many tasks of each lane run at the same time; 0: none begins. */
  lanes: Readonly<Record<Lane, number>>;
  /** How many tasks may wait or run; further ones are refused. */
  maxTasks: number;
  /** Is told about the progress of running tasks. */
  onProgress: ProgressListener;
  /** Is told about failures whose details no client sees. */
  log: Log;
}

/** What is known of a running task in this process only. */
export interface LiveTask extends Progress {
  /** True while the task can be cancelled. */
  cancellable: boolean;
}

/**
 * What a cancel did: `withdrawn` = the task had not begun; `cancelled` = it is undone; `cancelling` = it is still being
 * undone; `past_pivot`, `final`, `unknown` = it cannot be cancelled.
 */
export type Cancelled = "withdrawn" | "cancelled" | "cancelling" | "past_pivot" | "final" | "unknown";

export type TaskMachine = ReturnType<typeof createTaskMachine>;

/** Milliseconds after which a cancel is answered, even if the undoing goes on. */
const cancelTimeout = 9_500;

/**
 * The durable task machine. It accepts tasks, gives each its locks and a place in its lane, runs and cancels them, and
 * after a restart takes up what an earlier process left. It knows no kind of task.
 */
export function createTaskMachine({ tasks, kinds, lanes, maxTasks, onProgress, log }: MachineOptions) {
  const end = new AbortController();
  const waiters = createEndWaiters();
  const common = { tasks, kinds, end: end.signal, log };
  const reporter = createProgressReporter(tasks, onProgress);
  const scheduler = createScheduler({
    lanes,
    hasRoom: (lane) => !end.signal.aborted && running.hasRoom(lane),
    start: (id, lane, resumed) => running.start(id, lane, resumed),
  });
  const onWait = scheduler.setWaiting;
  const running = createRunningTasks({ ...common, runner: createRunner(common), reporter, lanes, onWait, onDone });
  const onWithdrawn = (id: number): void => onDone(id, "over", "withdrawn");
  const undoRetry = createUndoRetry({ ...common, onUndone: onWithdrawn });
  const acceptance = createAcceptance({ tasks, scheduler, maxTasks, end: end.signal, onWithdrawn });

  function onDone(id: number, outcome: Outcome, taskEnd: TaskEnd): void {
    if (outcome !== "left") waiters.notify(id, taskEnd);
    if (outcome === "undo_failed") undoRetry.add(id);
    scheduler.remove(id, outcome === "over");
  }

  return {
    ...acceptance,

    /**
     * Resolves when the task has ended, even if its undo failed; never if the signal aborts first. Must be called before
     * the task can end.
     */
    waitForEnd: waiters.wait,

    /** Cancels a task. Durable when it resolves; it waits at most 9.5 s for the undoing. */
    async cancel(id: number, by?: Actor): Promise<Cancelled> {
      const answer = await tasks.cancel({ id, now: Date.now(), by });
      if (answer === "withdrawn") onWithdrawn(id);
      if (answer !== "undoing") return answer;
      const task = running.get(id);
      if (!task) return "cancelling";
      task.report(-1, "Cancelling: waiting for the present step to end");
      task.controller.abort(cancelled);
      return (await isOverWithin(task.over, cancelTimeout)) ? "cancelled" : "cancelling";
    },

    /** Returns what is known of a task that this process runs, or undefined for any other task. */
    live: (id: number): LiveTask | undefined => toLiveTask(running.get(id)),

    /** Returns the ids of the tasks that this process runs or undoes. */
    running: running.ids,

    /** Takes up the tasks of an earlier process, then begins to run tasks. */
    async start(): Promise<void> {
      const active = await tasks.active();
      scheduler.open(active);
      undoRetry.start();
      for (const { task, undoFailed } of active) {
        if (undoFailed) undoRetry.add(task.id);
        else if (task.state !== "waiting") running.resume(task, true);
      }
      scheduler.startAll();
    },

    /** Stops running tasks, for at most `grace` milliseconds. What does not stop is left to the next start. */
    async stop(grace: number): Promise<void> {
      end.abort(ending);
      waiters.notifyAll({
        error: new AppError("engine_unavailable", "The station is ending; look again in a moment."),
      });
      await isOverWithin(running.stopAll(), grace);
      // Being interrupted was not the fault of these tasks. If that cannot be written, it only costs one attempt.
      await tasks.forgiveAttempts().catch(() => undefined);
    },
  };
}

function isOverWithin(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(resolve, milliseconds, false).unref());
  return Promise.race([work.then(() => true), late]);
}

function toLiveTask(task: RunningTask | undefined): LiveTask | undefined {
  if (!task) return undefined;
  return { ...task.now, cancellable: !task.pivoted && !task.undoing && !task.controller.signal.aborted };
}
