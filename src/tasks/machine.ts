import type { Accepted, Actor, Lane, NewTask, TaskStore } from "../storage/task-store.ts";
import { AppError } from "../errors.ts";
import { createCarrier } from "./carrier.ts";
import type { Kinds } from "./handler.ts";
import { createJanitor } from "./janitor.ts";
import { createLockQueue, type QueuedTask } from "./lock-queue.ts";
import { createProgressReporter, type Progress, type ProgressListener } from "./progress.ts";
import { cancelled, createRunner, ending, type Outcome } from "./runner.ts";

export interface MachineOptions {
  tasks: TaskStore;
  kinds: Kinds;
  /** How many tasks of a lane run at once; 0 holds the lane. */
  lanes: Readonly<Record<Lane, number>>;
  /** Tasks that may wait or run at once; over it new ones are refused. */
  maxTasks: number;
  onProgress: ProgressListener;
  log: (message: string, fields: Record<string, unknown>) => void;
}

/** What is known of a running task and not in the store. */
export interface LiveTask extends Progress {
  cancellable: boolean;
}

export type Cancelled = "withdrawn" | "cancelled" | "cancelling" | "past_pivot" | "final" | "unknown";

export type TaskMachine = ReturnType<typeof createTaskMachine>;

/** A cancel is answered after this long at the latest; the undoing goes on. */
const cancelAnswerAfter = 9_500;

/**
 * The durable task machine: accepts tasks, gives each its locks and a place in its lane, runs them, cancels them, and
 * takes up after a restart what an earlier process left. It knows no kind of task.
 */
export function createTaskMachine({ tasks, kinds, lanes, maxTasks, onProgress, log }: MachineOptions) {
  const queue = createLockQueue();
  /** Accepted before `start` has queued what is older; undefined since then. */
  let early: QueuedTask[] | undefined = [];
  /** On their way to the store. */
  let entering = 0;
  const end = new AbortController();
  const reporter = createProgressReporter(tasks, onProgress);
  const runner = createRunner({ tasks, kinds, end: end.signal, log });
  const carrier = createCarrier({ tasks, runner, reporter, end: end.signal, log, onDone });
  const janitor = createJanitor({ tasks, kinds, end: end.signal, log, onSettled: (id) => onDone(id, "over") });

  /** Starts what is ready while its lane has room. */
  function pump(lane: Lane): void {
    while (carrier.count(lane) < lanes[lane] && !early && !end.signal.aborted) {
      const id = queue.next(lane);
      if (id === undefined) return;
      carrier.begin(id, lane);
    }
  }

  function onDone(id: number, outcome: Outcome): void {
    if (outcome === "debt") janitor.owes(id);
    if (outcome === "over") queue.release(id);
    pump("quick");
    pump("heavy");
  }

  function enqueue(task: QueuedTask): void {
    if (early) return void early.push(task);
    queue.add(task);
    pump(task.lane);
  }

  return {
    /** On disk when it answers. */
    async accept(task: NewTask): Promise<Accepted> {
      if (queue.size() + entering >= maxTasks)
        throw new AppError("too_many", `More than ${maxTasks} tasks are waiting; try again later.`);
      if (end.signal.aborted) throw new AppError("engine_unavailable", "The station is ending; try again in a moment.");
      entering++;
      const accepted = await tasks.accept(task).finally(() => entering--);
      if ("id" in accepted) enqueue({ id: accepted.id, lane: task.lane, locks: task.locks });
      return accepted;
    },

    /** Durable when it answers. `cancelling`: the undoing takes longer than 10 s, and goes on. */
    async cancel(id: number, by?: Actor): Promise<Cancelled> {
      const answer = await tasks.cancel({ id, now: Date.now(), by });
      // Those that waited behind it may be ready now.
      if (answer === "withdrawn") onDone(id, "over");
      if (answer !== "undoing") return answer;
      const task = carrier.get(id);
      if (!task) return "cancelling";
      task.report(-1, "Cancelling: waiting for the present step to end");
      task.controller.abort(cancelled);
      const timeout = new Promise<"late">((resolve) => setTimeout(resolve, cancelAnswerAfter, "late").unref());
      return (await Promise.race([task.over, timeout])) === "late" ? "cancelling" : "cancelled";
    },

    live(id: number): LiveTask | undefined {
      const task = carrier.get(id);
      if (!task) return undefined;
      return { ...task.now, cancellable: !task.pivoted && !task.undoing && !task.controller.signal.aborted };
    },

    /** Takes up what an earlier process left, then begins to run tasks. */
    async start(): Promise<void> {
      const left = await tasks.active();
      for (const { task, locks } of left.filter(({ task }) => task.state !== "waiting")) queue.hold({ ...task, locks });
      for (const { task, locks } of left.filter(({ task }) => task.state === "waiting")) queue.add({ ...task, locks });
      for (const task of early?.splice(0) ?? []) queue.add(task);
      early = undefined;
      janitor.start();
      for (const found of left) {
        if (found.debt) janitor.owes(found.task.id);
        else if (found.task.state !== "waiting") carrier.resume(found.task, true);
      }
      pump("quick");
      pump("heavy");
    },

    /** Ends within `grace` ms: what can stop stops, what cannot is left to the next start. */
    async stop(grace: number): Promise<void> {
      end.abort(ending);
      await Promise.race([carrier.endAll(), new Promise((resolve) => setTimeout(resolve, grace).unref())]);
      // What is left was not the fault of a task. Not being able to say so costs no more than a count.
      await tasks.forgiveAttempts().catch(() => undefined);
    },
  };
}
