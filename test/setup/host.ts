import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../support/daemon.ts";
import { testEngines } from "../support/engines.ts";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "../..");

export interface CliResult {
  code: number;
  /** What it said to the user. */
  text: string;
}

/** A host of its own as far as set-up can see: processes, network, /run, and the files that set-up writes. */
export interface Host {
  /** Runs a program there; answers what it printed. */
  run(...argv: string[]): Promise<string>;
  /** `npm run engines:start` and its kin, on this host. */
  engines(command: "start" | "stop", ...flags: string[]): Promise<CliResult>;
  /** The pids of all processes of that name, as the host counts them. */
  pids(name: string): Promise<string[]>;
  end(): Promise<void>;
}

const prepare = `
set -eu
folder=$1
mount --make-rprivate /
mount -t tmpfs tmpfs /run
[ -L /var/run ] || mount -t tmpfs tmpfs /var/run
mkdir -p /run/lock "$folder/cgroup" "$folder/lxd" "$folder/log" "$folder/misc" "$folder/lib"
mount --rbind /sys/fs/cgroup "$folder/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$folder/cgroup" /sys/fs/cgroup
chmod 711 "$folder" "$folder/lxd" "$folder/lib"
mkdir -p /var/lib/lxd /var/log/gantry /var/lib/misc
mount --bind "$folder/lxd" /var/lib/lxd
mount --bind "$folder/lib" /var/lib/lxc
mount --bind "$folder/log" /var/log/gantry
mount --bind "$folder/misc" /var/lib/misc
cp -a /etc/lxc "$folder/lxc"
mount --bind "$folder/lxc" /etc/lxc
for name in default/lxc-net subuid subgid; do
  copy="$folder/$(basename "$name")"
  cp "/etc/$name" "$copy"
  mount --bind "$copy" "/etc/$name"
done
printf 'USE_LXC_BRIDGE="true"\\n' >/etc/default/lxc-net
: >/etc/subuid
: >/etc/subgid
ip link set lo up
touch /run/prepared
while :; do sleep 1000 & wait $!; done
`;

export async function startHost(): Promise<Host> {
  const folder = mkdtempSync(join(testEngines().folder, "host-"));
  const namespaces = ["--mount", "--net", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"];
  const child = spawn("unshare", [...namespaces, "sh", "-c", prepare, "sh", folder], { stdio: "inherit" });
  const first = (): string => readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();

  async function run(...argv: string[]): Promise<string> {
    const { stdout } = await execute("nsenter", ["-t", first(), "-m", "-n", "-p", "-u", "--", ...argv]);
    return stdout;
  }

  async function engines(command: "start" | "stop", ...flags: string[]): Promise<CliResult> {
    const argv = [process.execPath, join(root, "src/setup/cli.ts"), command, "--run", "/run/gantry", ...flags];
    const shell = ["sh", "-c", 'code=0; "$@" 2>&1 || code=$?; echo "$code"', "sh", ...argv];
    const lines = (await run(...shell)).trimEnd().split("\n");
    return { code: Number(lines.pop()), text: lines.join("\n") };
  }

  async function end(): Promise<void> {
    child.kill("SIGKILL");
    await until(() => child.exitCode !== null || child.signalCode !== null, 10_000);
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  const ready = await until(
    () =>
      run("test", "-e", "/run/prepared").then(
        () => true,
        () => false,
      ),
    20_000,
  );
  if (!ready) throw new Error("the host of this test could not be made");
  return {
    run,
    engines,
    pids: async (name) => {
      const output = await run("ps", "-e", "-o", "pid=,comm=");
      const rows = output.split("\n").map((row) => row.trim().split(/\s+/));
      return rows.filter(([, comm]) => comm === name).map(([pid]) => pid ?? "");
    },
    end,
  };
}
