import { keepEnd } from "../../../util/process/kept-output.ts";
import { outputLimit, type KeptLog } from "../../container-life.ts";
import { readFrames, readTerminal } from "../client/frames.ts";
import type { DockerHttp } from "../client/http.ts";
import { cancelled, connectionFailure } from "../failures.ts";
import { containerPath, requireContainer } from "../client/container.ts";

/** Returns the last lines of a container's output. Throws `not_found`. */
export async function readLogs(http: DockerHttp, id: string, lines: number, signal?: AbortSignal): Promise<KeptLog> {
  const { Id, Config } = await requireContainer(http, id, signal);
  const query = { stdout: "true", stderr: "true", tail: String(lines) };
  const answer = await http.open({ path: `${containerPath(Id)}/logs`, query, signal });
  const kept = keepEnd(outputLimit);
  try {
    for await (const { data } of Config.Tty ? readTerminal(answer) : readFrames(answer)) kept.add(data);
  } catch (cause) {
    throw signal?.aborted ? cancelled(cause) : connectionFailure(cause, http.address);
  } finally {
    answer.destroy();
  }
  return { text: kept.text(), truncated: kept.truncated() };
}
