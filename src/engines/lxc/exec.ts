import { spawn } from "node:child_process";

import { AppError } from "../../errors.ts";
import { systemPath } from "../child.ts";
import { inFolder, numericUser } from "../exec-words.ts";
import { keepStart, noProgram, notExecutable } from "../kept-output.ts";
import { killGroup } from "../kill-group.ts";
import type { ExecRequest, ExecResult } from "../life.ts";
import { cancelled } from "./failures.ts";
import type { Layout } from "./layout.ts";

export interface ExecTarget {
  layout: Layout;
  name: string;
  /** Whose child it is; the station's next start kills what still has it. */
  task: string;
}

/** The program is in the process group of the one that attaches it, so one signal ends both. */
export async function execIn(target: ExecTarget, request: ExecRequest, signal: AbortSignal): Promise<ExecResult> {
  if (signal.aborted) throw cancelled();
  const child = spawn("lxc-attach", attachArguments(target, request), {
    env: { PATH: systemPath, LC_ALL: "C", GANTRY_TASK: target.task },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: keepStart(), stderr: keepStart() };
  child.stdout.on("data", (data: Buffer) => output.stdout.add(data));
  child.stderr.on("data", (data: Buffer) => output.stderr.add(data));
  const kill = (): void => killGroup(child.pid);
  signal.addEventListener("abort", kill, { once: true });
  try {
    const exitCode = await exitOf(child);
    if (signal.aborted) throw cancelled();
    const stderr = output.stderr.text();
    if (/Failed to exec/.test(stderr)) {
      if (exitCode === 127) return noProgram(request.command[0]);
      if (exitCode === 126) return notExecutable(request.command[0]);
    }
    const truncated = output.stdout.truncated() || output.stderr.truncated();
    return { exitCode, stdout: output.stdout.text(), stderr, truncated };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

function exitOf(child: ReturnType<typeof spawn>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.on("error", (cause) =>
    reject(new AppError("engine_failed", "lxc-attach cannot be run on this host.", { cause })),
  );
  // Killed by a signal: as shells show it.
  child.on("close", (code, signal) => resolve(code ?? (signal === "SIGKILL" ? 137 : 143)));
  return promise;
}

function attachArguments({ layout, name }: ExecTarget, request: ExecRequest): string[] {
  const { uid, gid } = numericUser(request.user, "LXC");
  const variables = [
    `PATH=${systemPath}`,
    ...(request.user === undefined ? ["HOME=/root"] : []),
    ...request.environment,
  ];
  return [
    "-P",
    layout.path,
    "-n",
    name,
    "--clear-env",
    ...variables.flatMap((variable) => ["-v", variable]),
    "-u",
    String(uid),
    "-g",
    String(gid ?? uid),
    "--",
    ...inFolder(request),
  ];
}
