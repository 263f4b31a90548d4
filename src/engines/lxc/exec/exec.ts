import { AppError } from "../../../errors.ts";
import { systemPath } from "../../../util/process/system-path.ts";
import type { Containers } from "../../engine.ts";
import { assertMapped, commandInFolder, numericUser } from "../../processes/exec-command.ts";
import { keepStart } from "../../../util/process/kept-output.ts";
import { noProgram, notExecutable } from "../../processes/unstartable.ts";
import { runProcess } from "../../../util/process/run-process.ts";
import { outputLimit, type ExecRequest, type ExecResult } from "../../container-life.ts";
import { cancelled } from "../failures.ts";
import type { Finder } from "../inspect/find.ts";
import type { Layout } from "../files/layout.ts";

/** The container that a program is run in. */
export interface ExecTarget {
  /** Where it is. */
  layout: Layout;
  /** Its name; it runs, and is not paused. */
  name: string;
  /** The task as STATION/TASK, in the program's environment; the station's next start kills what still has it. */
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
  const [stdout, stderr] = [keepStart(outputLimit), keepStart(outputLimit)];
  const attach = ["lxc-attach", ...attachArguments(target, request), "--", ...argv] as const;
  const end = await runProcess(attach, { task: target.task, signal, stdout, stderr });
  if (end.fault) throw new AppError("engine_failed", "lxc-attach cannot be run on this host.", { cause: end.fault });
  if (end.stopped) throw cancelled();
  // Killed by a signal: as shells show it.
  const exitCode = end.code ?? (end.killedBy === "SIGKILL" ? 137 : 143);
  const truncated = stdout.truncated() || stderr.truncated();
  const result = { exitCode, stdout: stdout.text(), stderr: stderr.text(), truncated };
  return notStarted(target.name, argv[0], result) ?? check(result);
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
