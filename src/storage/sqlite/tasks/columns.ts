/** The columns of a `TaskRow`. */
export const taskColumns =
  'id, kind, lane, name, user, params, state, init, start, "end", result, error, detail, progress, pivot, attempts, outcome';

/**
 * SQL that drops the request and the error of a task if they are long: of a task that is in no list any more. Without the
 * request it is not known what the error must not show.
 */
export const dropLongTexts = `params = CASE WHEN octet_length(params) > 4096 THEN '{}' ELSE params END,
  error = CASE WHEN octet_length(params) > 4096 OR octet_length(error) > 4096 THEN NULL ELSE error END`;
