import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;

/**
 * Locks a file until this process ends. Returns false if another process holds the lock. Node has no flock(2), so this is
 * SQLite's exclusive lock on an empty database; the kernel releases it with the process, even after a kill.
 */
export function holdFileLock(path: string): boolean {
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
  heldLocks.push(file);
  return true;
}

/** Keeps the databases from the garbage collector, which would close them and so release the locks. */
const heldLocks: DatabaseSync[] = [];
