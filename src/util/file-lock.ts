import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;

/**
 * Holds a lock on a file until the process ends, however it ends; false = another process has it. Node has no flock:
 * this is SQLite's exclusive lock on an empty database, which the kernel frees with the process.
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
  held.push(file);
  return true;
}

/** Kept from the garbage collector, which would close them. */
const held: DatabaseSync[] = [];
