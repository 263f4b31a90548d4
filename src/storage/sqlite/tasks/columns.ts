import type { TaskRow } from "../../task-store.ts";

/** SQL of the column of each field of a `TaskRow`. The order does not matter. */
export const taskColumn: Readonly<Record<keyof TaskRow, string>> = {
  id: "id",
  kind: "kind",
  lane: "lane",
  name: "name",
  user: "user",
  params: "params",
  state: "state",
  init: "init",
  start: "start",
  end: '"end"',
  result: "result",
  error: "error",
  detail: "detail",
  progress: "progress",
  pivot: "pivot",
  attempts: "attempts",
  outcome: "outcome",
};

/** SQL of all columns of a `TaskRow`. */
export const taskColumns = Object.values(taskColumn).join(", ");

/**
 * SQL that drops the request and the error of a task if they are long: of a task that is in no list any more. Without the
 * request it is not known what the error must not show.
 */
export const dropLongTexts = `params = CASE WHEN octet_length(params) > 4096 THEN '{}' ELSE params END,
  error = CASE WHEN octet_length(params) > 4096 OR octet_length(error) > 4096 THEN NULL ELSE error END`;
