import type { OwnerMark } from "../../engines/container-spec.ts";

/** Makes and recognises the marks of this station's tasks. */
export interface Marks {
  /** Returns the mark of what a task makes. */
  of(task: number): OwnerMark;
  /** Tells whether a mark is the one of this task of this station. */
  isOurs(mark: OwnerMark | undefined, task: number): boolean;
}

/** Makes the marks of the station with this id. */
export function createMarks(station: string): Marks {
  return {
    of: (task) => ({ station, task }),
    isOurs: (mark, task) => mark?.station === station && mark.task === task,
  };
}
