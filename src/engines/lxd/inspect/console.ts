import { basename, dirname, join } from "node:path";

import { hasCode } from "../../../errors.ts";
import { readConsoleFile } from "../../shared/console-file.ts";
import { keepEnd } from "../../../util/process/kept-output.ts";
import { lastLogLines } from "../../processes/last-log-lines.ts";
import { outputLimit, type KeptLog } from "../../container-life.ts";
import type { LxdHttp } from "../client/http.ts";
import { instancePath } from "../client/instance.ts";

/** Bytes of a console that LXD keeps in memory. */
const bufferSize = 128 * 1024;

/**
 * Returns the end of a container's console. It is read from the file that the LXC below writes: what LXD itself answers
 * is gone once it was read. Only where that file cannot be reached LXD is asked. One that never ran has none.
 */
export async function readConsole(http: LxdHttp, name: string, lines: number, signal?: AbortSignal): Promise<KeptLog> {
  const file = await consoleFile(http, name, signal);
  const log = file === undefined ? undefined : await readConsoleFile(file, lines);
  return log ?? askConsole(http, name, lines, signal);
}

/**
 * Returns the path of the console's file, from the configuration that LXD writes for LXC at each start; a container
 * that was renamed since has its files elsewhere.
 */
async function consoleFile(http: LxdHttp, name: string, signal?: AbortSignal): Promise<string | undefined> {
  const config = await unlessMissing(http.rawText(`${instancePath(name)}/logs/lxc.conf`, signal));
  const file = /^lxc\.console\.logfile = (\/.+)$/m.exec(config ?? "")?.[1];
  return file && join(dirname(dirname(file)), name, basename(file));
}

async function askConsole(http: LxdHttp, name: string, lines: number, signal?: AbortSignal): Promise<KeptLog> {
  const kept = keepEnd(outputLimit);
  kept.add(Buffer.from((await unlessMissing(http.rawText(`${instancePath(name)}/console`, signal))) ?? ""));
  const text = kept.text();
  return lastLogLines(text, lines, kept.truncated() || Buffer.byteLength(text) >= bufferSize);
}

async function unlessMissing(answer: Promise<string>): Promise<string | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (hasCode(error, "not_found") || hasCode(error, "engine_failed")) return undefined;
    throw error;
  }
}
