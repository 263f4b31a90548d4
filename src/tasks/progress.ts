import type { TaskStore } from "../storage/task-store.ts";

export interface Progress {
  /** Percent (0 to 100), or -1 while it is unknown. */
  progress: number;
  /** What the task does now: a text for a person. */
  detail: string;
}

export type ProgressListener = (task: number, progress: Progress) => void;

/** Returns the progress of a task, and the function that reports it. */
export type ProgressReporter = (task: number) => { now: Progress; report: (percent: number, detail: string) => void };

/** Milliseconds between two calls of the listener. */
const emitEvery = 100;
/** Milliseconds between two writes to the store. */
const saveEvery = 1000;

/**
 * Keeps progress in memory. The listener is told at most ten times a second, the store is written at most once a second.
 */
export function createProgressReporter(tasks: TaskStore, listener: ProgressListener): ProgressReporter {
  return (task) => {
    const now: Progress = { progress: -1, detail: "" };
    let emittedAt = Number.NEGATIVE_INFINITY;
    let savedAt = performance.now();
    return {
      now,
      report(percent, detail) {
        now.progress = percent;
        now.detail = detail;
        const time = performance.now();
        if (time - emittedAt >= emitEvery) {
          emittedAt = time;
          listener(task, now);
        }
        if (time - savedAt < saveEvery) return;
        savedAt = time;
        // A failure does not matter: the next report, or the task's end, replaces this one.
        tasks.saveProgress({ id: task, ...now }).catch(() => undefined);
      },
    };
  };
}
