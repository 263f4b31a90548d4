/** Makes the indexes that lists of tasks read: of everybody's tasks and of one user's. They have no hidden or cancelled task. */
export const listedTasks = `
  CREATE INDEX task_listed ON task (hidden) WHERE hidden = 0 AND state <> 'cancelled';
  CREATE INDEX task_listed_user ON task (user) WHERE hidden = 0 AND state <> 'cancelled';
  `;
