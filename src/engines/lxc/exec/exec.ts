import { spawn } from "node:child_process";

import { AppError } from "../../../errors.ts";
import { systemPath } from "../../processes/child.ts";
import type { Containers } from "../../engine.ts";
import { assertMapped, commandInFolder, numericUser } from "../../processes/exec-command.ts";
import { keepStart, noProgram, notExecutable } from "../../processes/kept-output.ts";
import { killGroup } from "../../processes/kill-group.ts";
import type { ExecRequest, ExecResult } from "../../container-life.ts";
import { cancelled } from "../failures.ts";
import type { Finder } from "../inspect/find.ts";
import type { Layout } from "../files/layout.ts";

/** The container that a program is run in. */
export interface ExecTarget {
  /** Where it is. */
  layout: Layout;
  /** Its name; it runs, and is not paused. */
  name: string;
  /** Whose child it is; the station's next start kills what still has it. */
  task: string;
}

/** Returns the engine's `exec`. */
export function createExec({ layout, finder }: { layout: Layout; finder: Finder }): Containers["exec"] {
  return async function exec(name, request, signal) {
    const { pid, paused, mark } = await finder.require(name, signal);
    if (pid === 0 || paused) throw new AppError("conflict", `The LXC container ${name} does not run.`);
    if (request.user !== undefined) await assertMapped(pid, numericUser(request.user, "LXC"));
    const task = mark ? `${mark.station}/${mark.task}` : "lxc";
    return execIn({ layout, name, task }, request, signal);
  };
}

/**
 * Runs a program to its end, and kills it when the signal aborts. The program is in the process group of the lxc-attach
 * that started it, so one signal ends both. Throws `cancelled`, `invalid`, and `engine_failed` without lxc-attach.
 */
export async function execIn(target: ExecTarget, request: ExecRequest, signal: AbortSignal): Promise<ExecResult> {
  if (signal.aborted) throw cancelled();
  const { argv, check } = commandInFolder(request);
  const child = spawn("lxc-attach", [...attachArguments(target, request), "--", ...argv], {
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
    const truncated = output.stdout.truncated() || output.stderr.truncated();
    const result = { exitCode, stdout: output.stdout.text(), stderr: output.stderr.text(), truncated };
    return notStarted(target.name, argv[0], result) ?? check(result);
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

/**
 * Returns what a shell would return for a program that lxc-attach could not start, which it says in this line and
 * nothing else.
 */
function notStarted(name: string, program = "", { exitCode, stdout, stderr }: ExecResult): ExecResult | undefined {
  const [line, ...more] = stderr.trimEnd().split("\n");
  const own = line?.startsWith(`lxc-attach: ${name}: `) && line.endsWith(` - Failed to exec "${program}"`);
  if (!own || more.length > 0 || stdout !== "") return undefined;
  if (exitCode === 127) return noProgram(program);
  return exitCode === 126 ? notExecutable(program) : undefined;
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
  ];
}
