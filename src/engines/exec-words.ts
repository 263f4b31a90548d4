import { invalid } from "../errors.ts";
import type { ExecRequest } from "./life.ts";

/** `user` of a request for an engine that knows no names: a number, or two with a colon. Absent = root. */
export function numericUser(user: string | undefined, engine: string): { uid: number; gid?: number } {
  const ids = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(user ?? "0");
  if (!ids) throw invalid("user", `must be a number for a container of ${engine}, or two with a colon.`);
  return { uid: Number(ids[1]), ...(ids[2] !== undefined && { gid: Number(ids[2]) }) };
}

/**
 * The command in a folder, for an engine that has no word for it, or passes over one that is not there: a shell of the
 * container goes there, and takes neither the folder nor the program for code.
 */
export function inFolder({ command, workingDir }: ExecRequest): string[] {
  return workingDir === undefined ? [...command] : ["sh", "-c", 'cd -- "$0" && exec "$@"', workingDir, ...command];
}
