/** Makes the tables of the containers-and-jobs API. */
export const openvzTables = `
  CREATE TABLE openvz_container (
    id TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    name TEXT NOT NULL,
    ostemplate TEXT NOT NULL,
    engine TEXT NOT NULL,
    parameters TEXT,
    description TEXT,
    created_at INTEGER NOT NULL,
    task INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX openvz_container_task ON openvz_container (task);

  CREATE TABLE openvz_job (
    id TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    task INTEGER NOT NULL,
    container TEXT NOT NULL,
    verb TEXT NOT NULL,
    user TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX openvz_job_task ON openvz_job (task);
`;
