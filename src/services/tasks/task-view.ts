import type { Task } from "../../api/task.ts";
import type { NewTask, TaskRow } from "../../storage/task-store.ts";
import type { LiveTask } from "../../tasks/machine.ts";
import { cutLong, cutText } from "../secrets/shortening.ts";
import { maskedJson, type Sight } from "../secrets/masking.ts";
import { withoutHiddenWords } from "../secrets/error-masking.ts";

/** How a task is shown. */
export interface TaskView {
  /** What the reader may see. */
  sight: Sight;
  /** Its long values are not cut. */
  whole: boolean;
}

/** Returns a new task as the API shows it: as it was accepted, though it may be running by now. */
export function shownTask(id: number, task: NewTask, request: unknown, sight: Sight): Task {
  return {
    category: task.kind,
    deletable: false,
    detail_state: "",
    id,
    init: seconds(task.now),
    name: task.name,
    params: maskedJson(task.params, sight, request),
    progress: -1,
    state: "waiting",
    user: task.user,
  };
}

/** Returns a stored task as the API shows it. `running` is what is known of it in this process. */
export function taskOf(row: TaskRow, running: LiveTask | undefined, { sight, whole }: TaskView): Task {
  // The last word of a task that is over is its row's.
  const live = documentedStates[row.state] === "running" ? running : undefined;
  const request: unknown = JSON.parse(row.params);
  const masked = maskedJson(row.params, sight, request);
  const params = whole ? { value: masked, cut: false } : cutLong(masked, row.params.length);
  const error = errorOf(row, request, sight);
  const shownError = error === undefined || whole ? error : cutText(error, 2048);
  return {
    category: row.kind,
    ...((params.cut || shownError !== error) && { cut: true as const }),
    deletable: row.state === "running" && (live?.cancellable ?? false),
    detail_state: live?.detail ?? row.detail,
    ...(row.end !== null && { end: seconds(row.end) }),
    ...(shownError !== undefined && { error: shownError }),
    id: row.id,
    init: seconds(row.init),
    name: row.name,
    params: params.value,
    progress: live?.progress ?? row.progress,
    ...(row.result !== null && { result: row.result }),
    ...(row.start !== null && { start: seconds(row.start) }),
    state: documentedStates[row.state],
    user: row.user,
  };
}

/** The states that QNAP's documents know. A cancelled task is in no list; only its idempotency key still finds it. */
const documentedStates: Readonly<Record<TaskRow["state"], Task["state"]>> = {
  waiting: "waiting",
  running: "running",
  undoing: "running",
  completed: "completed",
  error: "error",
  cancelled: "error",
};

function errorOf({ state, error }: TaskRow, request: unknown, sight: Sight): string | undefined {
  if (state === "cancelled") return "The task was cancelled.";
  return state === "error" && error !== null ? withoutHiddenWords(error, request, sight) : undefined;
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
