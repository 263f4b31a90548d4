import type { OwnerMark } from "../../engines/container-spec.ts";

/** Makes and knows the marks of this station's tasks. */
export interface Marks {
  of(task: number): OwnerMark;
  isOurs(mark: OwnerMark | undefined, task: number): boolean;
}

export function createMarks(station: string): Marks {
  return {
    of: (task) => ({ station, task }),
    isOurs: (mark, task) => mark?.station === station && mark.task === task,
  };
}
