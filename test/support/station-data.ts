import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestStation } from "./station.ts";

/** By SQL what a station has in its database, also while it runs. */
export function inDatabase<T>({ dataDir }: Pick<TestStation, "dataDir">, use: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(dataDir, "gantry.db"));
  try {
    return use(db);
  } finally {
    db.close();
  }
}

/** The same while the station is down. */
export async function whileDown<T>(station: TestStation, use: (db: DatabaseSync) => T): Promise<T> {
  await station.stop();
  const result = inDatabase(station, use);
  await station.start();
  return result;
}

/** Tells whether a task that was to be cancelled had completed before, so that it was only cleared from the list. */
export function wasOver(station: TestStation, task: number): boolean {
  const query = "SELECT 1 FROM task WHERE id = ? AND state = 'completed'";
  return inDatabase(station, (db) => db.prepare(query).get(task) !== undefined);
}

/** The files below FOLDER in which one of the texts stands. */
export function filesWith(folder: string, ...texts: string[]): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => texts.some((text) => contentOf(file).includes(text)));
}

/** Of one that goes meanwhile, nothing. */
function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return Buffer.alloc(0);
  }
}
