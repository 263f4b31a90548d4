import type { Accepted, Actor, Lane, NewTask, TaskStore } from "../storage/task-store.ts";
import { AppError } from "../errors.ts";
import { createCarrier } from "./carrier.ts";
import { createCrowd } from "./crowd.ts";
import { createEnds, type TaskEnd } from "./ends.ts";
import type { Kinds } from "./handler.ts";
import { createJanitor } from "./janitor.ts";
import { createLockQueue, type QueuedTask } from "./lock-queue.ts";
import { createProgressReporter, type Progress, type ProgressListener } from "./progress.ts";
import { cancelled, createRunner, ending, type Outcome, type Running } from "./runner.ts";
import type { Log } from "../util/log.ts";

export interface MachineOptions {
  tasks: TaskStore;
  kinds: Kinds;
  /** How many tasks of a lane run at once; 0 holds the lane. */
  lanes: Readonly<Record<Lane, number>>;
  /** Tasks that may wait or run at once; over it new ones are refused. */
  maxTasks: number;
  onProgress: ProgressListener;
  log: Log;
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
  /** Waiting ones that an earlier process accepted. */
  const late = new Set<number>();
  const ends = createEnds();
  const crowd = createCrowd(lanes);
  /** On their way to the store. */
  let entering = 0;
  const end = new AbortController();
  const common = { tasks, kinds, end: end.signal, log };
  const runner = createRunner(common);
  const reporter = createProgressReporter(tasks, onProgress);
  const carrier = createCarrier({ ...common, runner, reporter, lanes, onRest, onDone });
  const janitor = createJanitor({ ...common, onSettled: (id) => onDone(id, "over", "withdrawn") });

  /** Starts what is ready while its lane has room. */
  function pump(lane: Lane): void {
    while (carrier.hasRoom(lane) && !early && !end.signal.aborted) {
      const id = queue.next(lane, (group) => crowd.isFull(lane, group));
      if (id === undefined) return;
      crowd.enter(id, lane, queue.groupOf(id));
      carrier.begin(id, lane, late.delete(id));
    }
  }

  const pumpAll = () => (["quick", "heavy"] as const).forEach(pump);

  function onDone(id: number, outcome: Outcome, taskEnd: TaskEnd): void {
    crowd.leave(id);
    if (outcome !== "left") ends.tell(id, taskEnd);
    if (outcome === "debt") janitor.owes(id);
    if (outcome === "over") queue.release(id);
    pumpAll();
  }

  function onRest(id: number, lane: Lane, { rests, away }: { rests: boolean; away: boolean }): void {
    if (away) crowd.waitsForEngine(lane, queue.groupOf(id), rests);
    pump(lane);
  }

  function enqueue(task: QueuedTask): void {
    if (early) return void early.push(task);
    queue.add(task);
    pump(task.lane);
  }

  async function accept(task: NewTask): Promise<Accepted> {
    if (queue.size() + entering >= maxTasks)
      throw new AppError("too_many", `More than ${maxTasks} tasks are waiting; try again later.`);
    if (end.signal.aborted) throw new AppError("engine_unavailable", "The station is ending; try again in a moment.");
    entering++;
    const accepted = await tasks.accept(task).finally(() => entering--);
    if ("id" in accepted) enqueue({ id: accepted.id, lane: task.lane, locks: task.locks });
    return accepted;
  }

  async function withdraw(id: number): Promise<boolean> {
    if (!(await tasks.withdraw({ id, now: Date.now() }))) return false;
    // Those that waited behind it may be ready now.
    onDone(id, "over", "withdrawn");
    return true;
  }

  return {
    /** On disk when it answers. */
    accept,

    /** The same, unless a heavy task holds one of the keys, or waits for it: then it is not accepted. */
    async acceptAwaited(task: NewTask): Promise<Accepted | { behind: number }> {
      if (early) throw new AppError("engine_unavailable", "The station is starting; try again in a moment.");
      const holder = queue.heavyAt(task.locks);
      if (holder !== undefined) return { behind: holder };
      const accepted = await accept(task);
      // One may have come in between.
      const ahead = "id" in accepted ? queue.heavyAt(task.locks, accepted.id) : undefined;
      if ("id" in accepted && ahead !== undefined && (await withdraw(accepted.id))) return { behind: ahead };
      return accepted;
    },

    /** Resolves when the task is over; to be called before it can be. What it still owes is not waited for. */
    ended: ends.of,

    /** Takes back a task that has not begun. False: it has. */
    withdraw,

    /** Durable when it answers. `cancelling`: the undoing takes longer than 10 s, and goes on. */
    async cancel(id: number, by?: Actor): Promise<Cancelled> {
      const answer = await tasks.cancel({ id, now: Date.now(), by });
      if (answer === "withdrawn") onDone(id, "over", "withdrawn");
      if (answer !== "undoing") return answer;
      const task = carrier.get(id);
      if (!task) return "cancelling";
      task.report(-1, "Cancelling: waiting for the present step to end");
      task.controller.abort(cancelled);
      return (await isOverWithin(task.over, cancelAnswerAfter)) ? "cancelled" : "cancelling";
    },

    running: carrier.ids,
    live: (id: number): LiveTask | undefined => liveOf(carrier.get(id)),

    /** Takes up what an earlier process left, then begins to run tasks. */
    async start(): Promise<void> {
      const left = await tasks.active();
      for (const { task, locks } of left.filter(({ task }) => task.state !== "waiting")) queue.hold({ ...task, locks });
      for (const { task, locks } of left.filter(({ task }) => task.state === "waiting")) {
        late.add(task.id);
        queue.add({ ...task, locks });
      }
      for (const task of early?.splice(0) ?? []) queue.add(task);
      early = undefined;
      janitor.start();
      for (const found of left) {
        if (found.debt) janitor.owes(found.task.id);
        else if (found.task.state !== "waiting") carrier.resume(found.task, true);
      }
      pumpAll();
    },

    /** Ends within `grace` ms: what can stop stops, what cannot is left to the next start. */
    async stop(grace: number): Promise<void> {
      end.abort(ending);
      ends.tellAll({ error: new AppError("engine_unavailable", "The station is ending; look again in a moment.") });
      await isOverWithin(carrier.endAll(), grace);
      // What is left was not the fault of a task. Not being able to say so costs no more than a count.
      await tasks.forgiveAttempts().catch(() => undefined);
    },
  };
}

function isOverWithin(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(resolve, milliseconds, false).unref());
  return Promise.race([work.then(() => true), late]);
}

function liveOf(task: Running | undefined): LiveTask | undefined {
  if (!task) return undefined;
  return { ...task.now, cancellable: !task.pivoted && !task.undoing && !task.controller.signal.aborted };
}
