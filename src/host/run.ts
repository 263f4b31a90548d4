import { execFile } from "node:child_process";

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What a program of the host prints; "" when it is not there, fails, or takes more than 3 s. Without a shell. */
export function output([program, ...args]: readonly [string, ...string[]]): Promise<string> {
  return new Promise((resolve) => {
    const options = { env: { PATH: path, LC_ALL: "C", HOME: "/nonexistent" }, timeout: 3_000, maxBuffer: 16 << 20 };
    execFile(program, args, options, (error, text) => resolve(error ? "" : text.trim()));
  });
}
