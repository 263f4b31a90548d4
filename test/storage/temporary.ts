import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openDatabase, type Database } from "../../src/storage/sqlite/database.ts";

export interface Temporary {
  database: Database;
  folder: string;
  path: string;
  /** What the store said was fatal, in order. */
  fatal: string[];
  close(): Promise<void>;
}

/** A database in a folder of its own, which goes with it. */
export async function openTemporary(): Promise<Temporary> {
  const folder = mkdtempSync(join(tmpdir(), "store-"));
  const path = join(folder, "gantry.db");
  const { database, fatal } = await openAt(path);
  return {
    database,
    folder,
    path,
    fatal,
    async close() {
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface OpenAt {
  /** Closes it at the end of the test at the latest: an open one keeps the process alive. */
  context?: TestContext;
  host?: string;
}

/** NORMAL: these tests lose no power, and a slow disk shall not make them slow. */
export async function openAt(
  path: string,
  { context, host = "test" }: OpenAt = {},
): Promise<{ database: Database; fatal: string[] }> {
  const fatal: string[] = [];
  const database = await openDatabase({ path, host, synchronous: "NORMAL" }, (reason) => fatal.push(reason));
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= database.close());
  context?.after(close);
  return { database: { ...database, close }, fatal };
}
