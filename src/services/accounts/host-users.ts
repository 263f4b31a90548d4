import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../errors.ts";
import type { Role } from "../../storage/account-store.ts";
import { createSemaphore } from "../../util/concurrency.ts";

/** The host's own users, as PAM knows them. */
export interface HostUsers {
  /** Never throws for a wrong name or password. */
  authenticate(name: string, password: string): Promise<boolean>;
  /** Admin for members of the groups, viewer for the others; `undefined` = the host has no such user. */
  roleOf(name: string): Promise<Role | undefined>;
}

export interface HostUserOptions {
  adminGroups: readonly string[];
  /** PAM's service: /etc/pam.d/SERVICE, and where that is missing /etc/pam.d/other. */
  service?: string;
}

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const program = "pamtester";
/** PAM waits some seconds by itself after a wrong password. */
const patience = 30_000;
/** What PAM's conversation takes in one line; a longer one would be cut. */
const longest = 500;
/** Nothing that could be an option or a path. */
const hostName = /^[a-z_][a-z0-9_.-]{0,31}$/i;

/** Asks PAM in a process of its own: a module that hangs or crashes takes nothing of the station along. */
export function createHostUsers({ adminGroups, service = "gantry" }: HostUserOptions): HostUsers {
  if (!isInstalled(program))
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

/** The input never stands where other users of the host could read it. */
function run([file, ...args]: [string, ...string[]], input: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      env: { PATH: path, LC_ALL: "C" },
      stdio: ["pipe", "pipe", "ignore"],
      timeout: patience,
      killSignal: "SIGKILL",
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(0, 65_536)));
    child.stdin.on("error", () => undefined);
    child.on("error", () => resolve({ code: null, output: "" }));
    child.on("close", (code) => resolve({ code, output }));
    child.stdin.end(input);
  });
}

function isInstalled(command: string): boolean {
  return path.split(":").some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
