import type { TaskStore } from "../storage/task-store.ts";

/** Percent, or -1 while it is unknown, and a word for a person. */
export interface Progress {
  progress: number;
  detail: string;
}

export type ProgressListener = (task: number, progress: Progress) => void;

const emitEvery = 100;
const saveEvery = 1000;

/** Progress lives in memory; at most ten times a second it goes out, at most once a second to the store. */
export function createProgressReporter(tasks: TaskStore, listener: ProgressListener) {
  return (task: number): { now: Progress; report: (percent: number, detail: string) => void } => {
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
        // A lost tick is no loss: the next one, or the end, says more.
        tasks.saveProgress({ id: task, ...now }).catch(() => undefined);
      },
    };
  };
}
