import { AppError } from "../../../errors.ts";
import { firstLoggedError } from "../../shared/lxc-log.ts";
import { toSentence } from "../../shared/error-text.ts";
import { reasonOf } from "../failures.ts";
import type { LxdHttp } from "../client/http.ts";
import { instancePath } from "../client/instance.ts";

/**
 * Returns the error for a failed start. "lxd forkstart ... exit status 1" says nothing; the log of the LXC below does,
 * in its first line of an error.
 */
export async function startFailure(http: LxdHttp, name: string, error: unknown): Promise<unknown> {
  if (!/forkstart/.test(reasonOf(error))) return error;
  const log = await http.rawText(`${instancePath(name)}/logs/lxc.log`).catch(() => "");
  const reason = firstLoggedError(log);
  if (reason === undefined) return error;
  const hint = /permission denied.*detached mount/i.test(reason)
    ? " All folders above a mounted one must let others pass through (chmod o+x)."
    : "";
  const message = `LXD cannot start container ${name}: ${toSentence(reason)}${hint}`;
  return new AppError("engine_failed", message, { cause: error });
}
