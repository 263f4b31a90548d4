import { setTimeout as delay } from "node:timers/promises";

import { hasCode } from "../../errors.ts";
import { keepStart, noProgram, notExecutable } from "../kept-output.ts";
import { killGroup } from "../kill-group.ts";
import type { ExecRequest, ExecResult } from "../life.ts";
import { containerPath } from "./container-inspect.ts";
import { cancelled, connectionFailure, reasonOf } from "./failures.ts";
import { frames } from "./frames.ts";
import type { DockerHttp } from "./http.ts";

/** As in Docker's API. */
interface Execution {
  Running: boolean;
  /** On the host of Docker. */
  Pid: number;
  ExitCode: number | null;
}

const notStarted = 126;
const missing = /executable file not found|no such file or directory/i;
const killTries = 50;
const killPause = 100;

/** `local`: Docker runs on this host, so that what it started can be killed. */
export async function execIn(
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
    const result = await follow(http, exec, signal);
    // Docker writes its own failure where the program's output would be.
    const failed = result.exitCode === notStarted && result.stdout.startsWith("OCI runtime exec failed");
    if (!failed) return result;
    return (missing.test(result.stdout) ? noProgram : notExecutable)(request.command[0]);
  } catch (error) {
    if (missing.test(reasonOf(error))) return noProgram(request.command[0]);
    // Docker itself lets it run on when nobody reads any more.
    if (local && (signal.aborted || !hasCode(error, "engine_unavailable"))) await kill(http, exec);
    throw error;
  }
}

async function follow(http: DockerHttp, exec: string, signal: AbortSignal): Promise<ExecResult> {
  const body = { Detach: false, Tty: false };
  const answer = await http.open({ method: "POST", path: `/exec/${exec}/start`, body, signal });
  const output = { stdout: keepStart(), stderr: keepStart() };
  try {
    for await (const { stream, data } of frames(answer)) output[stream].add(data);
  } catch (cause) {
    throw signal.aborted ? cancelled(cause) : connectionFailure(cause, http.address);
  } finally {
    answer.destroy();
  }
  const { ExitCode } = await http.json<Execution>({ path: `/exec/${exec}/json`, signal });
  return {
    exitCode: ExitCode ?? 0,
    stdout: output.stdout.text(),
    stderr: output.stderr.text(),
    truncated: output.stdout.truncated() || output.stderr.truncated(),
  };
}

/** It leads a process group of its own. It may just be on its way to its start. */
async function kill(http: DockerHttp, exec: string): Promise<void> {
  for (let tries = killTries; tries > 0; tries--) {
    const found = await http.json<Execution>({ path: `/exec/${exec}/json` }).catch(() => undefined);
    if (!found || (!found.Running && found.ExitCode !== null)) return;
    if (found.Pid > 0) killGroup(found.Pid);
    await delay(killPause);
  }
}
