import { setTimeout as delay } from "node:timers/promises";

import { hasCode } from "../../../errors.ts";
import { keepStart } from "../../../util/process/kept-output.ts";
import { killGroup } from "../../../util/process/kill-group.ts";
import type { Containers } from "../../engine.ts";
import { outputLimit, type ExecRequest, type ExecResult } from "../../container-life.ts";
import { containerPath, requireContainer } from "../client/container.ts";
import { cancelled, connectionFailure, reasonOf } from "../failures.ts";
import { notStarted } from "./not-started.ts";
import { readFrames } from "../client/frames.ts";
import type { DockerHttp } from "../client/http.ts";

/** As in Docker's API. */
interface Execution {
  Running: boolean;
  /** On the host of Docker. */
  Pid: number;
  ExitCode: number | null;
}

const killTries = 50;
const killPause = 100;
const endPause = 20;

/**
 * Returns the engine's `exec`. `local`: Docker runs on this host, so that what it started can be killed.
 */
export function createExec(http: DockerHttp, local: boolean): Containers["exec"] {
  return async function exec(id, request, signal) {
    const { Id } = await requireContainer(http, id, signal);
    return execIn({ http, local }, Id, request, signal);
  };
}

async function execIn(
  { http, local }: { http: DockerHttp; local: boolean },
  id: string,
  request: ExecRequest,
  signal: AbortSignal,
): Promise<ExecResult> {
  const { Id: exec } = await http.json<{ Id: string }>({
    method: "POST",
    path: `${containerPath(id)}/exec`,
    body: {
      AttachStdout: true,
      AttachStderr: true,
      Cmd: request.command,
      Env: request.environment,
      ...(request.user !== undefined && { User: request.user }),
      ...(request.workingDir !== undefined && { WorkingDir: request.workingDir }),
    },
    signal,
  });
  try {
    return await follow(http, exec, request, signal);
  } catch (error) {
    const told = notStarted(reasonOf(error), request);
    if (told) return told;
    // Docker itself lets it run on when nobody reads any more.
    if (local && (signal.aborted || !hasCode(error, "engine_unavailable"))) await kill(http, exec);
    throw error;
  }
}

async function follow(http: DockerHttp, exec: string, request: ExecRequest, signal: AbortSignal): Promise<ExecResult> {
  const body = { Detach: false, Tty: false };
  const answer = await http.open({ method: "POST", path: `/exec/${exec}/start`, body, signal });
  const output = { stdout: keepStart(outputLimit), stderr: keepStart(outputLimit) };
  try {
    for await (const { stream, data } of readFrames(answer)) output[stream].add(data);
  } catch (cause) {
    throw signal.aborted ? cancelled(cause) : connectionFailure(cause, http.address);
  } finally {
    answer.destroy();
  }
  const { ExitCode, Pid } = await endOf(http, exec, signal);
  const stdout = output.stdout.text();
  // Docker writes its own failure where the program's output would be; what has run had a process.
  const told = Pid === 0 && ExitCode > 0 ? notStarted(stdout, request) : undefined;
  if (told) return told;
  const truncated = output.stdout.truncated() || output.stderr.truncated();
  return { exitCode: ExitCode, stdout, stderr: output.stderr.text(), truncated };
}

/** Waits for the end of a program, whose streams end a moment before it. */
async function endOf(http: DockerHttp, exec: string, signal: AbortSignal) {
  for (;;) {
    const { Running, ExitCode, Pid } = await http.json<Execution>({ path: `/exec/${exec}/json`, signal });
    if (!Running && ExitCode !== null) return { ExitCode, Pid };
    await delay(endPause, undefined, { signal }).catch((cause: unknown) => Promise.reject(cancelled(cause)));
  }
}

/** Kills a program that may just be starting; it leads a process group of its own. */
async function kill(http: DockerHttp, exec: string): Promise<void> {
  for (let tries = killTries; tries > 0; tries--) {
    const found = await http.json<Execution>({ path: `/exec/${exec}/json` }).catch(() => undefined);
    if (!found || (!found.Running && found.ExitCode !== null)) return;
    if (found.Pid > 0) killGroup(found.Pid);
    await delay(killPause);
  }
}
