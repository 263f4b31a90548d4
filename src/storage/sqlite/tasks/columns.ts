/** The columns of a `TaskRow`. */
export const taskColumns =
  'id, kind, lane, name, user, params, state, init, start, "end", result, error, detail, progress, pivot, attempts, outcome';
