import { outputLimit, type ExecResult } from "./life.ts";

/** Bytes of a program's output, up to a limit. */
export interface KeptOutput {
  add(data: Buffer): void;
  text(): string;
  /** There was more. */
  truncated(): boolean;
}

/** The first bytes: of a program that is run for somebody. */
export function keepStart(limit = outputLimit): KeptOutput {
  const chunks: Buffer[] = [];
  let size = 0;
  let truncated = false;
  return {
    add(data) {
      if (size + data.length > limit) truncated = true;
      const part = data.subarray(0, limit - size);
      size += part.length;
      if (part.length > 0) chunks.push(part);
    },
    text: () => Buffer.concat(chunks).toString("utf8"),
    truncated: () => truncated,
  };
}

/** The last bytes: of a log. */
export function keepEnd(limit = outputLimit): KeptOutput {
  const chunks: Buffer[] = [];
  let size = 0;
  let truncated = false;
  return {
    add(data) {
      chunks.push(data);
      size += data.length;
      while (size - (chunks[0]?.length ?? 0) >= limit) {
        size -= chunks.shift()?.length ?? 0;
        truncated = true;
      }
    },
    text: () => Buffer.concat(chunks).subarray(-limit).toString("utf8"),
    truncated: () => truncated || size > limit,
  };
}

/** What a shell answers for a program that is not there; engines have words of their own for it. */
export function noProgram(program: string): ExecResult {
  return { exitCode: 127, stdout: "", stderr: `${program}: not found\n`, truncated: false };
}

/** The same for a file that is no program, or not for this user. */
export function notExecutable(program: string): ExecResult {
  return { ...noProgram(program), exitCode: 126, stderr: `${program}: cannot be executed\n` };
}

/** The last lines of a text; a line break at its end begins no further one. */
export function lastLines(text: string, lines: number): string {
  let at = text.endsWith("\n") ? text.length - 1 : text.length;
  for (let left = lines; left > 0 && at >= 0; left--) at = at === 0 ? -1 : text.lastIndexOf("\n", at - 1);
  return lines > 0 ? text.slice(at + 1) : "";
}
