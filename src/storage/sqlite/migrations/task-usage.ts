/** SQL of the bytes that a task counts: its request and 1 KiB for the rest of its rows. */
const bytesOf = (row: string) => `octet_length(${row}params) + 1024`;

/** Keeps count of what each user has in the store: tasks that are not over, and bytes of all his tasks. */
export const taskUsage = `
  CREATE TABLE task_usage (
    user TEXT PRIMARY KEY, tasks INTEGER NOT NULL, bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO task_usage (user, tasks, bytes)
    SELECT user, sum("end" IS NULL), sum(${bytesOf("")}) FROM task GROUP BY user;

  CREATE TRIGGER task_usage_insert AFTER INSERT ON task BEGIN
    INSERT INTO task_usage (user, tasks, bytes) VALUES (NEW.user, NEW."end" IS NULL, ${bytesOf("NEW.")})
      ON CONFLICT (user) DO UPDATE SET tasks = tasks + excluded.tasks, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER task_usage_end AFTER UPDATE OF "end" ON task WHEN (OLD."end" IS NULL) <> (NEW."end" IS NULL) BEGIN
    UPDATE task_usage SET tasks = tasks + (NEW."end" IS NULL) - (OLD."end" IS NULL) WHERE user = NEW.user;
  END;
  CREATE TRIGGER task_usage_params AFTER UPDATE OF params ON task BEGIN
    UPDATE task_usage SET bytes = bytes + octet_length(NEW.params) - octet_length(OLD.params) WHERE user = NEW.user;
  END;
  CREATE TRIGGER task_usage_user AFTER UPDATE OF user ON task WHEN OLD.user <> NEW.user BEGIN
    UPDATE task_usage SET tasks = tasks - (OLD."end" IS NULL), bytes = bytes - (${bytesOf("OLD.")}) WHERE user = OLD.user;
    INSERT INTO task_usage (user, tasks, bytes) VALUES (NEW.user, NEW."end" IS NULL, ${bytesOf("NEW.")})
      ON CONFLICT (user) DO UPDATE SET tasks = tasks + excluded.tasks, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER task_usage_delete AFTER DELETE ON task BEGIN
    UPDATE task_usage SET tasks = tasks - (OLD."end" IS NULL), bytes = bytes - (${bytesOf("OLD.")}) WHERE user = OLD.user;
    DELETE FROM task_usage WHERE user = OLD.user AND tasks = 0 AND bytes = 0;
  END;
  `;
