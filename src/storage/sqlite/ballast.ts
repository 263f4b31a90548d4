import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from "node:fs";

const size = 8 << 20;
const retryDelay = 5_000;

/**
 * Keeps an 8 MiB file next to the database. When the disk is full the file is deleted, so that ends and undos of running
 * tasks can still be written. While it is missing no new task is accepted.
 */
export function createBallast(databasePath: string) {
  const path = `${databasePath}.ballast`;
  let freed = false;
  let triedAt = 0;
  restore();

  function restore(): boolean {
    if (performance.now() - triedAt < retryDelay && triedAt > 0) return false;
    triedAt = performance.now();
    try {
      if (statSync(path, { throwIfNoEntry: false })?.size !== size) write(path);
      freed = false;
    } catch {
      free();
    }
    return !freed;
  }

  function free(): void {
    freed = true;
    triedAt = performance.now();
    rmSync(path, { force: true });
  }

  return { isFreed: () => freed, free, restore };
}

function write(path: string): void {
  const file = openSync(path, "w", 0o600);
  try {
    const block = Buffer.alloc(1 << 20, 0x47);
    for (let written = 0; written < size; written += block.length) writeSync(file, block);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
