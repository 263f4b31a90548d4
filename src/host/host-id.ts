import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../errors.ts";
import { writeDurably } from "../util/write-durably.ts";

/** A UUID as `crypto.randomUUID` makes it. */
const form = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Returns the id of this host, a UUID, from the file `host-id` of the data folder; undefined before the first start and after
 * one of a version that had none. Whatever host the folder is copied to has that id from then on. Throws `conflict` if the file
 * has no id in it.
 */
export function readHostId(dataDir: string): string | undefined {
  const path = pathOf(dataDir);
  if (!existsSync(path)) return undefined;
  const id = readFileSync(path, "utf8").trim();
  if (form.test(id)) return id;
  throw new AppError("conflict", `The file ${path} has no host id in it: put the right one back, or delete it.`);
}

/** Keeps the id of this host in the data folder. */
export function writeHostId(dataDir: string, id: string): void {
  writeDurably(pathOf(dataDir), `${id}\n`);
}

function pathOf(dataDir: string): string {
  return join(dataDir, "host-id");
}
