import { AppError } from "../../errors.ts";
import type { Role } from "../../storage/account-store.ts";
import { createSemaphore } from "../../util/concurrency.ts";
import { keepStart } from "../../util/process/kept-output.ts";
import { runProcess } from "../../util/process/run-process.ts";
import type { Argv } from "../../util/process/start-process.ts";
import { findProgram } from "../../util/process/system-path.ts";

/** The host's own users, as PAM knows them. */
export interface HostUsers {
  /** Never throws for a wrong name or password. */
  authenticate(name: string, password: string): Promise<boolean>;
  /** Admin for members of the groups, viewer for the others; `undefined` = the host has no such user. */
  roleOf(name: string): Promise<Role | undefined>;
}

export interface HostUserOptions {
  /** Groups of the host whose members are admins. */
  adminGroups: readonly string[];
  /** PAM's service: /etc/pam.d/SERVICE, and where that is missing /etc/pam.d/other. */
  service?: string;
}

const program = "pamtester";
/** PAM waits some seconds by itself after a wrong password. */
const patience = 30_000;
/** Bytes that PAM's conversation takes in one line; a longer one would be cut off. */
const longest = 500;
const outputLimit = 65_536;
/** Nothing that could be an option or a path. */
const hostName = /^[a-z_][a-z0-9_.-]{0,31}$/i;

/** Asks PAM in a process of its own: a module that hangs or crashes takes nothing of the station along. */
export function createHostUsers({ adminGroups, service = "gantry" }: HostUserOptions): HostUsers {
  if (findProgram(program) === undefined)
    throw new AppError("conflict", `--pam needs the program ${program}: install the package of that name.`);
  const gate = createSemaphore({
    width: 4,
    depth: 50,
    full: () =>
      new AppError("too_many", "Too many logins at once; try again in a second.", { details: { retryAfter: 1 } }),
  });
  return {
    async authenticate(name, password) {
      if (!hostName.test(name) || Buffer.byteLength(password) > longest || /[\r\n\0]/.test(password)) return false;
      const { code } = await gate(() => run([program, service, name, "authenticate", "acct_mgmt"], `${password}\n`));
      return code === 0;
    },
    async roleOf(name) {
      if (!hostName.test(name)) return undefined;
      const { code, output } = await run(["id", "-Gn", "--", name], "");
      if (code !== 0) return undefined;
      return output
        .trim()
        .split(" ")
        .some((group) => adminGroups.includes(group))
        ? "admin"
        : "viewer";
    },
  };
}

/**
 * Returns the exit code, null if there is none, and the first 64 KiB of the output. The input is never where other users of
 * the host could read it.
 */
async function run(argv: Argv, input: string): Promise<{ code: number | null; output: string }> {
  const stdout = keepStart(outputLimit);
  const { code } = await runProcess(argv, { input, stdout, limits: { time: patience } });
  return { code, output: stdout.text() };
}
