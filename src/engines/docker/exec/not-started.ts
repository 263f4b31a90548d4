import { invalid } from "../../../errors.ts";
import { noFolder } from "../../processes/exec-command.ts";
import { noProgram, notExecutable } from "../../processes/unstartable.ts";
import type { ExecRequest, ExecResult } from "../../container-life.ts";
import { statusFailure } from "../failures.ts";

const user =
  /unable to find (?:user|group) |no matching entries in (?:passwd|group) file|uids and gids must be in range/;
const folder = /chdir to /;
const missing = /executable file not found|no such file or directory/i;
const unfit = /permission denied|exec format error|is a directory/i;

/**
 * Returns what a shell would return for a program that Docker could not start; undefined when `reason` says nothing of
 * that. Throws `invalid` naming the field that is wrong, `engine_failed` for another failure of the runtime.
 */
export function notStarted(
  reason: string,
  { command, user: name = "", workingDir }: ExecRequest,
): ExecResult | undefined {
  if (user.test(reason)) throw invalid("user", `${name} is not known in this container: ${reason.trim()}.`);
  if (!/OCI runtime exec failed|^crun: |executable file/.test(reason)) return undefined;
  if (folder.test(reason)) throw noFolder(workingDir);
  if (missing.test(reason)) return noProgram(command[0]);
  if (unfit.test(reason)) return notExecutable(command[0]);
  throw statusFailure(500, reason);
}
