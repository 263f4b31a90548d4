import { findProgram } from "./system-path.ts";

/** What a process may use. Each limit holds for what it starts too. */
export interface ProcessLimits {
  /** Bytes of address space of each process; what asks for more gets ENOMEM. Needs prlimit(1). */
  memory?: number;
  /** Milliseconds until it is killed. */
  time?: number;
  /** The user and group whose rights it has, with no further groups, and no way to gain rights. Needs setpriv(1). */
  user?: { uid: number; gid: number };
}

/** Returns the programs that set limits and then become `program`: they go before its name and arguments. */
export function limitingPrefix(program: string, { memory, user }: ProcessLimits = {}): string[] {
  const prefix: string[] = [];
  if (memory !== undefined) prefix.push("prlimit", `--as=${memory}`);
  if (user) {
    const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`];
    prefix.push("setpriv", ...ids, "--clear-groups", "--no-new-privs", "--inh-caps=-all", "--");
  }
  // Without this a missing program would look like one that failed: prlimit itself does start. The lone name then is what
  // `spawn` reports as missing.
  return prefix.length > 0 && findProgram(program) === undefined ? [] : prefix;
}
