import type { ExecResult } from "../container-life.ts";

/** Returns what a shell returns for a program that is not there; engines have words of their own for it. */
export function noProgram(program: string): ExecResult {
  return { exitCode: 127, stdout: "", stderr: `${program}: not found\n`, truncated: false };
}

/** Returns what a shell returns for a file that is no program, or not for this user. */
export function notExecutable(program: string): ExecResult {
  return { ...noProgram(program), exitCode: 126, stderr: `${program}: cannot be executed\n` };
}
