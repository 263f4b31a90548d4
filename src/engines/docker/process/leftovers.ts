import { readdir, readFile } from "node:fs/promises";

/**
 * Kills what the kernel still shows of a container id: the processes of its control group, and its shim, so that
 * containerd cleans up behind it. Returns how many there were. Only for a container that Docker says is not running, or
 * is gone: a dockerd that dies while it starts a container leaves its processes to containerd, and knows nothing of
 * them when it is back. A start then fails with "id already in use", and a removed container would run on.
 */
export async function killLeftovers(id: string): Promise<number> {
  let killed = 0;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    if (!(await belongsTo(pid, id))) continue;
    try {
      process.kill(Number(pid), "SIGKILL");
      killed++;
    } catch {
      // It ended meanwhile.
    }
  }
  return killed;
}

async function belongsTo(pid: string, id: string): Promise<boolean> {
  const groups = await readFile(`/proc/${pid}/cgroup`, "latin1").catch(() => "");
  if (groups.includes(id)) return true;
  const argv = (await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "")).split("\0");
  return /containerd-shim/.test(argv[0] ?? "") && argv[argv.indexOf("-id") + 1] === id;
}
