import { execFile } from "node:child_process";

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Runs a program of this host without a shell and returns what it prints on standard output, trimmed. Returns "" if the
 * program is missing, fails, or runs longer than 3 s.
 */
export function commandOutput([program, ...args]: readonly [string, ...string[]]): Promise<string> {
  return new Promise((resolve) => {
    const options = { env: { PATH: path, LC_ALL: "C", HOME: "/nonexistent" }, timeout: 3_000, maxBuffer: 16 << 20 };
    execFile(program, args, options, (error, text) => resolve(error ? "" : text.trim()));
  });
}
