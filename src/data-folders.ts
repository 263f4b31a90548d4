import { chmodSync, mkdirSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import type { Config } from "./config/config.ts";
import { AppError } from "./errors.ts";
import { holdFileLock } from "./util/file-lock.ts";

/**
 * Makes the station's folders, which are closed to others, and locks them against a second station. Throws `conflict`
 * if a folder cannot be made, a share would contain the data folder, or another station runs.
 */
export function prepareFolders({ dataDir, runDir, shares }: Config): void {
  for (const folder of [dataDir, runDir]) makeFolder(folder);
  chmodSync(dataDir, closed);
  for (const [name, folder] of Object.entries(shares)) {
    if (`${resolve(dataDir)}${sep}`.startsWith(`${resolve(folder)}${sep}`)) {
      throw new AppError(
        "conflict",
        `The share ${name} would contain Gantry's own data folder ${dataDir}: choose another folder.`,
      );
    }
    if (folder.startsWith(`${dataDir}${sep}`)) makeShare(folder, dataDir);
  }
  if (!holdFileLock(join(dataDir, "station.lock"))) {
    throw new AppError(
      "conflict",
      `Another station uses the data folder ${dataDir}: stop it, or choose another with --data.`,
    );
  }
  if (!holdFileLock(join(runDir, "station.lock"))) {
    throw new AppError("conflict", `Another station runs on this host (its lock is in ${runDir}): stop it first.`);
  }
}

/** Mode of a folder for the station's user only. */
const closed = 0o700;
/** Mode of a folder that others may pass through, without seeing what is in it. */
const passable = 0o711;

/** Makes the folder of a share that is in the data folder. Users of containers must be able to pass through to it. */
function makeShare(folder: string, dataDir: string): void {
  makeFolder(folder);
  for (let above = folder; above.startsWith(dataDir); above = dirname(above)) chmodSync(above, passable);
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: closed });
  } catch (cause) {
    throw new AppError("conflict", `The folder ${folder} cannot be made: ${(cause as Error).message}.`, { cause });
  }
}
