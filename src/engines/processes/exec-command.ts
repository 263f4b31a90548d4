import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";

import { invalid } from "../../errors.ts";
import type { ExecRequest, ExecResult } from "../container-life.ts";

/** The largest id that every engine takes; 4294967295 would mean "as it is", which is root. */
const largestId = 2 ** 31 - 1;

/** A user by number. */
export interface NumericUser {
  /** User id in the container. */
  uid: number;
  /** Group id in the container; absent: the engine's choice. */
  gid?: number;
}

/**
 * Returns the ids of a request's `user` for an engine that knows no names: a number, or two with a colon. Absent =
 * root. Throws `invalid`.
 */
export function numericUser(user: string | undefined, engine: string): NumericUser {
  const [, uid, gid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(user ?? "0") ?? [];
  if (uid === undefined) throw invalid("user", `must be a number for a container of ${engine}, or two with a colon.`);
  const ids = { uid: Number(uid), ...(gid !== undefined && { gid: Number(gid) }) };
  if (Object.values(ids).some((id) => id > largestId)) throw invalid("user", `must be from 0 to ${largestId}.`);
  return ids;
}

/**
 * Throws `invalid` for a user that the container has no ids for: a program that cannot become him ends without a word.
 * `pid`: the container's first process, on this host.
 */
export async function assertMapped(pid: number, { uid, gid = uid }: NumericUser): Promise<void> {
  for (const [file, id] of [
    ["uid_map", uid],
    ["gid_map", gid],
  ] as const) {
    const map = await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => undefined);
    const ranges = map
      ?.trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number));
    // A container that ends meanwhile has no map.
    if (!ranges || ranges.some(([first = 0, , count = 0]) => id >= first && id < first + count)) continue;
    throw invalid("user", `is out of reach: this container has no id ${id}.`);
  }
}

/** Returns the error for a folder that a program cannot be run in. */
export function noFolder(folder = ""): Error {
  return invalid("working_dir", `cannot be entered: ${folder} is no folder in this container, or closed to this user.`);
}

/**
 * Returns the command in its folder, for an engine that has no setting for it, or ignores one that is not there: a
 * shell of the container goes there, and takes neither the folder nor the program for code. `check` throws `invalid`
 * when the folder could not be entered, which the shell tells by a word that nobody else knows.
 */
export function commandInFolder({ command, workingDir }: ExecRequest) {
  if (workingDir === undefined) return { argv: [...command], check: (result: ExecResult) => result };
  const mark = randomUUID();
  const enter = `cd -- "$1" 2>/dev/null || { echo ${mark} >&2; exit 1; }`;
  const find = 'shift; command -v -- "$1" >/dev/null || { echo "$1: not found" >&2; exit 127; }';
  function check(result: ExecResult): ExecResult {
    if (result.stderr === `${mark}\n` && result.stdout === "") throw noFolder(workingDir);
    return result;
  }
  return { argv: ["sh", "-c", `${enter}; ${find}; exec "$@"`, "sh", workingDir, ...command], check };
}
